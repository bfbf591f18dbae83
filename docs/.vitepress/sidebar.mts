import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface SidebarLink {
  readonly text: string;
  readonly link: string;
  readonly target?: string;
}

export interface SidebarGroup {
  readonly text: string;
  readonly items: SidebarLink[];
}

/** The groups of the sidebar with their pages in reading order. Other pages of a folder follow by file name. */
const GROUPS: readonly {
  readonly text: string;
  readonly folder: string;
  readonly pages: readonly string[];
}[] = [
  { text: 'Start', folder: '', pages: ['get-started', 'concepts'] },
  {
    text: 'Guides',
    folder: 'guides',
    pages: [
      'existing-application',
      'fastify',
      'mounting',
      'prefixes-and-versioning',
      'several-resources',
      'tenants',
      'scopes',
      'step-up-authentication',
      'mutual-tls',
      'handler-sources',
      'anonymous-callers',
      'sessions',
      'replicas',
      'streams',
      'custom-verifiers',
      'introspection',
      'dpop',
      'guards-and-throttling',
      'microservices',
      'testing',
      'migrate-from-mcp-auth',
      'migrate-from-your-own-guard',
      'not-supported',
    ],
  },
  { text: 'Clients and providers', folder: '', pages: ['clients', 'providers'] },
  {
    text: 'Operations',
    folder: 'operations',
    pages: [
      'runbook',
      'doctor',
      'health',
      'explain',
      'metrics-and-logs',
      'proxies',
      'load',
      'behaviour-on-failure',
    ],
  },
  { text: 'Security', folder: 'security', pages: ['threat-model', 'hardening', 'not-checked'] },
  {
    text: 'Reference',
    folder: 'reference',
    pages: ['options', 'errors', 'events', 'doctor', 'requirements'],
  },
];

/** The API reference is static HTML, which the router of the site does not know. */
export const API: SidebarLink = { text: 'API', link: '/api/index.html', target: '_self' };

/** The sidebar of the pages that exist below a folder. Each page is named by its first heading. */
export function sidebarOf(root: string): SidebarGroup[] {
  return GROUPS.map(({ text, folder, pages }) => {
    const items = pagesOf(root, folder, pages).map((page) => linkTo(root, page));
    return { text, items: folder === 'reference' ? [...items, API] : items };
  }).filter(({ items }) => items.length > 0);
}

/** The paths of a group's pages, without ".md". */
function pagesOf(root: string, folder: string, named: readonly string[]): readonly string[] {
  if (!existsSync(join(root, folder))) return [];
  const present = readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => basename(name, '.md'));
  const others = folder === '' ? [] : present.filter((name) => name !== 'index' && !named.includes(name));
  return [...named.filter((name) => present.includes(name)), ...others.sort()].map((name) =>
    folder === '' ? name : `${folder}/${name}`,
  );
}

/** @throws Error if the page has no heading of the first level */
function linkTo(root: string, page: string): SidebarLink {
  const [, text] = /^# +(.+)$/m.exec(readFileSync(join(root, `${page}.md`), 'utf8')) ?? [];
  if (text === undefined) throw new Error(`docs/${page}.md has no heading of the first level`);
  return { text: text.replaceAll('`', ''), link: `/${page}` };
}
