import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type MarkdownOptions } from 'vitepress';
import { repositoryLink } from './repository-links.mjs';
import { API, sidebarOf } from './sidebar.mjs';
import { slugify } from './slugify.mjs';

type MarkdownIt = Parameters<NonNullable<MarkdownOptions['config']>>[0];

const site = fileURLToPath(new URL('..', import.meta.url));
const { name, description, repository } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { name: string; description: string; repository?: { url: string } };
/** Where the files of the repository can be read; undefined if package.json names no repository. */
const files = repository && `${repository.url.replace(/^git\+/, '').replace(/\.git$/, '')}/blob/main`;

/** Makes links to files outside of the site lead to the repository. Without a repository, only their text stays. */
function linkToRepository(md: MarkdownIt): void {
  md.core.ruler.push('repository-links', ({ tokens, env }) => {
    const page = (env as { relativePath: string }).relativePath;
    const links = tokens
      .flatMap(({ children }) => children ?? [])
      .filter(({ type, attrs }) => type === 'link_open' && attrs !== null);
    for (const link of links) {
      const address = repositoryLink({ site, page, href: link.attrGet('href') ?? '' }, files ?? '');
      if (address === undefined) continue;
      if (files === undefined) link.attrs = null;
      else link.attrSet('href', address);
    }
  });
}

/** Finds words that begin as typed, or differ in few letters. Requirements come after most other pages. */
const SEARCH = {
  prefix: true,
  fuzzy: 0.1,
  boost: { title: 4, text: 2, titles: 1 },
  boostDocument: (path: string) => (path.includes('/reference/requirements') ? 0.2 : 1),
};

export default defineConfig({
  lang: 'en',
  title: name,
  description,
  // The path below which the site is served, with a slash at both ends.
  base: process.env['DOCS_BASE'] ?? '/',
  // No icon, so that browsers do not request one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  metaChunk: true,
  markdown: {
    anchor: { slugify },
    config: linkToRepository,
    theme: { light: 'github-light-high-contrast', dark: 'github-dark-high-contrast' },
  },
  themeConfig: {
    nav: [
      { text: 'Get started', link: '/get-started' },
      { text: 'Options', link: '/reference/options' },
      API,
    ],
    sidebar: sidebarOf(site),
    outline: [2, 3],
    search: { provider: 'local', options: { miniSearch: { searchOptions: SEARCH } } },
  },
});
