import type axe from 'axe-core';
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { launchChromium, noChromium } from '../fixtures/chromium.js';
import { builtSite, remoteTags, remoteUrls, StaticServer } from './built-site.js';
import { QUESTIONS } from './questions.js';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const SCHEMES = ['light', 'dark'] as const;
const PAGES = ['/', '/get-started.html', '/guides/testing.html', '/clients.html', '/reference/options.html'];

if (noChromium !== undefined) console.warn(noChromium);

let site: string;

beforeAll(async () => {
  site = await builtSite();
}, 300_000);

describe('the built site', () => {
  it('loads nothing from another host', () => {
    const files = readdirSync(site, { recursive: true, encoding: 'utf8' });
    const remote = (extension: string, find: (text: string) => readonly string[]): string[] =>
      files
        .filter((name) => name.endsWith(extension))
        .flatMap((name) => find(readFileSync(join(site, name), 'utf8')).map((found) => `${name}: ${found}`));
    expect(files.filter((name) => name.endsWith('.html')).length).toBeGreaterThan(100);
    expect(files.filter((name) => name.endsWith('.css')).length).toBeGreaterThan(1);
    expect(remote('.html', remoteTags)).toEqual([]);
    expect(remote('.css', remoteUrls)).toEqual([]);
  });

  it.each([
    '<script async src="https://cdn.example.com/a.js">',
    "<link rel='stylesheet' href='//cdn.example.com/a.css'>",
    '<img alt="" srcset="http://cdn.example.com/a.png 2x">',
  ])('would be found to load something by %s', (tag) => {
    expect(remoteTags(`<a href="https://example.com"></a>${tag}<script src="/a.js"></script>`)).toEqual([
      tag,
    ]);
  });

  it.each([
    '@import "https://cdn.example.com/a.css',
    'url(https://cdn.example.com/a.woff2',
    'url("//cdn.example.com/a',
  ])('would be found to load something by %s', (place) => {
    expect(remoteUrls(`a { background: url(/b.png) } ${place}"); b { src: url(data:font/woff2,x) }`)).toEqual(
      [place],
    );
  });
});

describe.skipIf(noChromium !== undefined)('a reader of the site', () => {
  const pictures = mkdtempSync(join(tmpdir(), 'site-pictures-'));
  let server: StaticServer;
  let browser: Browser;

  beforeAll(async () => {
    server = await StaticServer.start(site);
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
  });

  /** Opens a page in a browser that has seen none before. */
  async function open(path: string, colorScheme: (typeof SCHEMES)[number] = 'light'): Promise<Page> {
    const page = await browser.newPage({ colorScheme });
    const response = await page.goto(server.origin + path, { waitUntil: 'networkidle' });
    expect([path, response?.status()]).toEqual([path, 200]);
    return page;
  }

  async function search(page: Page, words: string): Promise<void> {
    await page.getByRole('button', { name: 'Search' }).click();
    await page.getByRole('searchbox').fill(words);
    await page.locator('.results a').first().waitFor();
  }

  /** The serious and critical faults that axe finds, each with the elements that have it. */
  async function faults(page: Page): Promise<string[]> {
    await page.addScriptTag({ path: AXE });
    const { violations } = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
    return violations
      .filter(({ impact }) => impact === 'serious' || impact === 'critical')
      .flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target.join(' ')}`));
  }

  it('finds the page about tests by searching for jest, and loads nothing from elsewhere', async () => {
    const page = await open('/');
    const requested: string[] = [];
    page.on('request', (request) => requested.push(request.url()));
    await page.reload({ waitUntil: 'networkidle' });
    await search(page, 'jest');
    const result = page.locator('.results a[href*="/guides/testing"]').first();
    await result.click();
    await page.waitForURL(/\/guides\/testing/);
    await page.getByRole('heading', { level: 1, name: 'Testing' }).waitFor();
    expect(requested.length).toBeGreaterThan(5);
    expect(requested.filter((url) => !url.startsWith(server.origin) && !url.startsWith('data:'))).toEqual([]);
    await page.close();
  });

  it('finds the answers to thirty questions among the first five results', { timeout: 120_000 }, async () => {
    const page = await open('/');
    await page.getByRole('button', { name: 'Search' }).click();
    const unanswered: string[] = [];
    for (const { question, words, answer } of QUESTIONS) {
      await page.getByRole('searchbox').fill(words);
      const [path = '', anchor = ''] = answer.split('#');
      const section = anchor === '' ? '' : `[href$="#${anchor}"]`;
      const found = page.locator(`.results li:nth-child(-n + 5) a[href*="/${path}"]${section}`);
      await found
        .first()
        .waitFor({ timeout: 3000 })
        .catch(() => unanswered.push(`${question} (${words})`));
    }
    expect([QUESTIONS.length, unanswered]).toEqual([34, []]);
    await page.close();
  });

  it('sees light and dark pages, as the system is set', async () => {
    const shown = await Promise.all(
      SCHEMES.map(async (scheme) => {
        const page = await open('/get-started.html', scheme);
        const path = join(pictures, `${scheme}.png`);
        await page.screenshot({ path });
        const colour = await page.evaluate(() => getComputedStyle(document.body).backgroundColor);
        await page.close();
        return { colour, bytes: statSync(path).size };
      }),
    );
    expect(shown.map(({ colour }) => colour)).toEqual(['rgb(255, 255, 255)', 'rgb(27, 27, 31)']);
    for (const { bytes } of shown) expect(bytes).toBeGreaterThan(10_000);
  });

  describe.each(SCHEMES)('in the %s scheme', (scheme) => {
    it.each(PAGES)('meets no serious fault at %s', { timeout: 120_000 }, async (path) => {
      const page = await open(path, scheme);
      expect(await faults(page)).toEqual([]);
      await page.close();
    });

    it('meets no serious fault in the search', { timeout: 120_000 }, async () => {
      const page = await open('/', scheme);
      await search(page, 'jest');
      expect(await faults(page)).toEqual([]);
      await page.close();
    });
  });

  it('is told by axe of a page whose text cannot be read', async () => {
    const page = await open('/');
    await page.addStyleTag({ content: 'p { color: #eee !important; background: #fff; }' });
    await page.evaluate(() => document.querySelector('main')?.insertAdjacentHTML('beforeend', '<p>Grey</p>'));
    expect(await faults(page)).toEqual(expect.arrayContaining([expect.stringMatching(/^color-contrast: /)]));
    await page.close();
  });
});
