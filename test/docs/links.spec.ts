import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { brokenLinks } from './links.js';

it('every relative link and every anchor of the documents exists', () => {
  expect(brokenLinks(fileURLToPath(new URL('../..', import.meta.url)))).toEqual([]);
});

it('every sample is in the index of samples', () => {
  const samples = new URL('../../sample/', import.meta.url);
  const folders = readdirSync(samples, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== 'dist')
    .map(({ name }) => name);
  const index = readFileSync(new URL('README.md', samples), 'utf8');
  expect(folders.filter((name) => !index.includes(`](${name})`))).toEqual([]);
});

describe('the check of links', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'links-spec-'));
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function put(path: string, text: string): void {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }

  it.each([
    'sample/one',
    'sample/one/README.md',
    './sample/one/README.md#one-thing',
    '#here--now',
    '#here--now-1',
    '#requirescopesa',
    '#a_link',
    'https://example.com/none#none',
  ])('lets %s pass', (target) => {
    put('sample/one/README.md', '# One thing\n');
    put(
      'README.md',
      "# Here & now\n\n## Here & now\n\n### `@RequireScopes('a')`\n\n" +
        `## [A_link](sample/one)\n\n[x](${target}) [\`code\`](sample/one)\n`,
    );
    expect(brokenLinks(root)).toEqual([]);
  });

  it.each([
    'sample/two',
    'sample/one/readme.md',
    '../README.md',
    'sample/one/README.md#one',
    '#One-thing',
    '#here--now',
    '#not-a-heading',
    'sample/one#one-thing',
  ])('reports %s', (target) => {
    put('sample/one/README.md', '# One thing\n');
    put('sample/page.md', `[back](../README.md) [x](${target})\n`);
    put(
      'README.md',
      `# Here\n\n\`\`\`sh\n# Not a heading\n[x](none)\n\`\`\`\n\n\`[x](none)\` [\`x\`](${target})\n`,
    );
    expect(brokenLinks(root)).toContain(`README.md: ${target}`);
    expect(brokenLinks(root).filter((each) => each.startsWith('README.md'))).toHaveLength(1);
  });

  it.each([
    'options.md#name',
    './options#name',
    '/reference/options#name',
    '/guides/',
    '/api/index.html',
    '../../lib/one.ts',
    '../../README.md#top',
  ])('lets %s of a page of the site pass', (target) => {
    put('docs/reference/options.md', '# Options\n\n## name\n');
    put('docs/guides/index.md', '# Guides\n');
    put('docs/reference/page.md', `# Page\n\n[x](${target})\n`);
    put('lib/one.ts', '');
    put('README.md', '# Top\n');
    expect(brokenLinks(root)).toEqual([]);
  });

  it.each([
    'options.md#none',
    '/reference/none',
    '/reference/options#none',
    '../lib/one.ts',
    '../../lib/two.ts',
    '../../README',
    '/guides/',
  ])('reports %s of a page of the site', (target) => {
    put('docs/reference/options.md', '# Options\n\n## name\n');
    put('docs/reference/page.md', `# Page\n\n[x](${target})\n`);
    put('docs/.vitepress/cache/page.md', '[x](none)\n');
    put('lib/one.ts', '');
    put('README.md', '# Top\n\n[x](docs/reference/options.md#name)\n');
    expect(brokenLinks(root)).toEqual([`docs/reference/page.md: ${target}`]);
  });

  it('resolves a link from the folder of its page', () => {
    put('sample/one/README.md', '[back](../../README.md#top) [beside](../two/README.md)\n');
    put('sample/two/README.md', '[none](README.md#top)\n');
    put('README.md', '# Top\n');
    expect(brokenLinks(root)).toEqual([join('sample', 'two', 'README.md: README.md#top')]);
  });
});
