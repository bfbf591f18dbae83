import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { repositoryLink } from '../../docs/.vitepress/repository-links.mjs';
import { API, sidebarOf } from '../../docs/.vitepress/sidebar.mjs';

describe('the sidebar', () => {
  let site: string;

  beforeEach(() => {
    site = mkdtempSync(join(tmpdir(), 'sidebar-spec-'));
  });

  afterEach(() => {
    rmSync(site, { recursive: true });
  });

  function put(...paths: string[]): void {
    for (const path of paths) {
      mkdirSync(dirname(join(site, path)), { recursive: true });
      writeFileSync(join(site, path), `---\ntitle: x\n---\n\n# The page \`${path}\`\n\n# Other\n`);
    }
  }

  it('names each page by its first heading, in the order of its group', () => {
    put(
      'index.md',
      'clients.md',
      'concepts.md',
      'get-started.md',
      'reference/options.md',
      'public/api/index.md',
    );
    expect(sidebarOf(site)).toEqual([
      {
        text: 'Start',
        items: [
          { text: 'The page get-started.md', link: '/get-started' },
          { text: 'The page concepts.md', link: '/concepts' },
        ],
      },
      { text: 'Clients and providers', items: [{ text: 'The page clients.md', link: '/clients' }] },
      {
        text: 'Reference',
        items: [{ text: 'The page reference/options.md', link: '/reference/options' }, API],
      },
    ]);
  });

  it('adds the pages of a folder that have no place of their own', () => {
    put('guides/zebra.md', 'guides/index.md', 'guides/testing.md', 'guides/ant.md', 'guides/fastify.md');
    const [guides] = sidebarOf(site);
    const names = ['fastify', 'testing', 'ant', 'zebra'];
    expect(guides?.items.map(({ link }) => link)).toEqual(names.map((name) => `/guides/${name}`));
  });

  it('rejects a page without a heading', () => {
    put('guides/testing.md');
    writeFileSync(join(site, 'guides/testing.md'), '## Part\n');
    expect(() => sidebarOf(site)).toThrow('docs/guides/testing.md has no heading of the first level');
  });
});

describe('the link of a page', () => {
  const FILES = 'https://git.example.com/notes/blob/main';
  const link = (page: string, href: string): string | undefined =>
    repositoryLink({ site: '/notes/docs', page, href }, FILES);

  it.each([
    ['index.md', '../README.md', `${FILES}/README.md`],
    ['guides/testing.md', '../../sample/one/README.md#here', `${FILES}/sample/one/README.md#here`],
  ])('leads from %s by %s to the repository', (page, href, address) => {
    expect(link(page, href)).toBe(address);
  });

  it.each(['../reference/options.md#name', 'fastify.md', '#here', '/clients', 'https://example.com/../..'])(
    'stays as it is if it is %s',
    (href) => {
      expect(link('guides/testing.md', href)).toBeUndefined();
    },
  );
});
