import type { INestApplication } from '@nestjs/common';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { ClientProvider } from '../../sample/client/src/client-provider.js';
import { LoopbackCallback } from '../../sample/client/src/loopback-callback.js';
import { SampleClient } from '../../sample/client/src/sample-client.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { launchChromium, noChromium } from '../fixtures/chromium.js';
import { CREDENTIALS } from '../fixtures/official-clients.js';
import { pageProblems } from '../fixtures/page-problems.js';
import { verifies } from '../verifies.js';

const SCOPES = ['notes:read', 'notes:write', 'notes:admin'];
const CLOSE_WINDOW = 'Thank you. You can close this window.';
/** With `npm run pictures`, the pages go to the README of the sample, with the ports that it has there. */
const PICTURES = process.env['PICTURES'] !== undefined;

if (noChromium !== undefined) console.warn(noChromium);

describe.skipIf(noChromium !== undefined)('a person with a browser', () => {
  let browser: Browser;
  let server: RunningAuthorizationServer;
  let app: INestApplication;
  let resource: string;
  let context: BrowserContext;
  let callback: LoopbackCallback;

  beforeAll(async () => {
    const port = PICTURES ? 3000 : await freePort();
    resource = `http://127.0.0.1:${String(port)}/notes`;
    server = await startAuthorizationServer({ port: 0, resources: { [resource]: SCOPES }, ...CREDENTIALS });
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: server.issuer });
    const { startNotesServer } = await import('../../sample/quickstart/src/start.js');
    app = await startNotesServer(port, ['error']);
    browser = await launchChromium();
  });

  afterAll(async () => {
    await browser.close();
    await app.close();
    await server.close();
  });

  beforeEach(async () => {
    callback = await LoopbackCallback.listen();
    // Pages may not need scripts; where this is about scripts, it says so.
    context = await browser.newContext({ javaScriptEnabled: false });
  });

  afterEach(async () => {
    callback.close();
    await context.close();
  });

  /** The official client, whose person does `answer` in a tab of the browser. */
  function clientOf(answer: (page: Page) => Promise<void>, name = 'Notes desk') {
    const open = async (url: URL): Promise<void> => {
      const page = await context.newPage();
      await page.goto(url.href);
      await answer(page);
      await page.close();
    };
    const provider = new ClientProvider(name, callback.redirectUrl, callback.browseWith(open));
    return new SampleClient(new URL(resource), provider);
  }

  async function submit(page: Page): Promise<void> {
    const loaded = page.waitForEvent('load');
    await page.keyboard.press('Enter');
    await loaded;
  }

  async function signIn(page: Page, password = CREDENTIALS.password): Promise<void> {
    expect(await page.title()).toBe('Sign in');
    // The first field has the focus already.
    await page.keyboard.type(CREDENTIALS.username);
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await submit(page);
  }

  /** Goes through the page by the keyboard and presses a button. @returns the names of all that had the focus */
  async function press(page: Page, name: string): Promise<string[]> {
    const reached: string[] = [];
    for (;;) {
      await page.keyboard.press('Tab');
      const focus = await page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        const { outlineStyle, outlineWidth } = getComputedStyle(element);
        return { text: element.innerText, shown: outlineStyle === 'solid' && parseFloat(outlineWidth) >= 2 };
      });
      expect(focus.shown).toBe(true);
      reached.push(focus.text);
      if (focus.text === name) break;
    }
    await submit(page);
    return reached;
  }

  /** What people read, without the line breaks of the window. */
  async function read(page: Page): Promise<string> {
    return (await page.locator('main').innerText()).replace(/\s+/g, ' ');
  }

  async function picture(page: Page, name: string): Promise<void> {
    if (!PICTURES) return;
    await page.setViewportSize({ width: 560, height: 300 });
    const path = new URL(`../../sample/authorization-server/pictures/${name}.png`, import.meta.url);
    await page.screenshot({ path: fileURLToPath(path), fullPage: true });
  }

  verifies(['F115', 'F120'], 'signs in, consents and steps up by the keyboard alone', async () => {
    const seen: string[] = [];
    const client = clientOf(async (page) => {
      if ((await page.title()) === 'Sign in') {
        expect(await pageProblems(page)).toEqual([]);
        await picture(page, 'sign-in');
        expect(await read(page)).toContain('To continue to Notes desk.');
        await signIn(page);
      }
      expect(await pageProblems(page)).toEqual([]);
      await picture(page, seen.length === 0 ? 'consent' : 'step-up');
      seen.push(await read(page));
      expect(await press(page, 'Allow')).toEqual(['Allow']);
      expect(await page.locator('body').innerText()).toBe(CLOSE_WINDOW);
    });
    await client.connect();
    expect(await client.call('whoami')).toBe('demo with notes:read');
    expect(await client.call('add_note', { text: 'Buy milk' })).toBe('1 notes');
    expect(await client.call('whoami')).toBe('demo with notes:read notes:write');
    await client.close();

    const host = new URL(callback.redirectUrl).host;
    const note = `The application chose its name itself. Your answer goes to ${host}. Allow Deny`;
    expect(seen).toEqual([
      `Allow access? Notes desk asks for access in the name of demo. To ${resource} Read your notes notes:read ` +
        `To your account here Stay connected while you are away offline_access ${note}`,
      `Allow more access? Notes desk asks for more access in the name of demo. To ${resource} ` +
        `Read your notes notes:read · allowed before Add notes notes:write · new ` +
        `To your account here Stay connected while you are away offline_access · allowed before ${note}`,
    ]);
  });

  verifies('F120', 'is told of a wrong password, and may deny', async () => {
    const client = clientOf(async (page) => {
      await signIn(page, 'wrong');
      expect(await page.getByRole('alert').innerText()).toBe('The username or the password is wrong.');
      expect(await pageProblems(page)).toEqual([]);
      await signIn(page);
      expect(await press(page, 'Deny')).toEqual(['Allow', 'Deny']);
      expect(await page.locator('body').innerText()).toBe(CLOSE_WINDOW);
    });
    await expect(client.connect()).rejects.toThrow('The person denied the request.');
    await client.close();
  });

  verifies('F120', 'reads markup in the name of a client as text, with scripts on', async () => {
    const name = `<img src=x onerror=alert(1)><script>alert(2)</script>'"><b>Notes</b>`;
    await context.close();
    context = await browser.newContext();
    const dialogs: string[] = [];
    const shown: string[] = [];
    const client = clientOf(async (page) => {
      page.on('dialog', (dialog) => {
        dialogs.push(dialog.message());
        void dialog.dismiss();
      });
      await page.reload();
      expect(await pageProblems(page)).toEqual([]);
      shown.push(await read(page));
      await signIn(page);
      expect(await pageProblems(page)).toEqual([]);
      shown.push(await read(page));
      await press(page, 'Allow');
    }, name);
    await client.connect();
    await client.close();
    expect(shown).toEqual([expect.stringContaining(name), expect.stringContaining(name)]);
    expect(dialogs).toEqual([]);
  });

  verifies('F120', 'reads a decent page where something is wrong', async () => {
    const page = await context.newPage();
    for (const path of ['/auth?client_id=nobody', '/interaction/unknown']) {
      await page.goto(server.issuer + path);
      expect(await page.title()).toBe('Something went wrong');
      expect(await pageProblems(page)).toEqual([]);
    }
  });
});
