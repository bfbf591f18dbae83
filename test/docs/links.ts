import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { slugify } from '../../docs/.vitepress/slugify.mjs';

const NOT_OURS = new Set(['node_modules', '.git', 'dist', 'coverage', '.vitepress', 'public']);
/** The folder of the site, and where its API reference is built to. */
const SITE = 'docs';
const API = '/api/';

/** The links of all Markdown files below a folder that lead nowhere, `page: target`. Those to other sites are not looked at. */
export function brokenLinks(root: string): readonly string[] {
  const pages = new Map(markdownFiles(root).map((path) => [path, readFileSync(join(root, path), 'utf8')]));
  const leadsNowhere = (page: string, target: string): boolean => {
    const [path = '', anchor] = target.split('#', 2).map(decodeURIComponent);
    if (isOfSite(page) && path.startsWith(API)) return false;
    const file = fileOf(page, path);
    if (file.startsWith('..') || !existsSync(join(root, file))) return true;
    return anchor !== undefined && !anchors(pages.get(file) ?? '').has(anchor);
  };
  return [...pages].flatMap(([page, text]) =>
    linksOf(text)
      .filter((target) => !/^[a-z]+:/.test(target) && leadsNowhere(page, target))
      .map((target) => `${page}: ${target}`),
  );
}

const isOfSite = (page: string): boolean => page.startsWith(`${SITE}/`);

/** The file that a link leads to. On the site, a path may begin at the site's root, and leave out ".md". */
function fileOf(page: string, path: string): string {
  if (path === '') return page;
  const file =
    isOfSite(page) && path.startsWith('/') ? join(SITE, path) : normalize(join(dirname(page), path));
  if (!isOfSite(page) || !isOfSite(file)) return file;
  if (file.endsWith('/')) return `${file}index.md`;
  return /\.[a-z]+$/.test(file) ? file : `${file}.md`;
}

function markdownFiles(root: string, folder = ''): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return NOT_OURS.has(entry.name) ? [] : markdownFiles(root, path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

function linksOf(text: string): readonly string[] {
  const prose = withoutFences(text).replaceAll(/`[^`\n]+`/g, 'code');
  return [...prose.matchAll(/\]\(<?([^)>\s]+)>?(?:\s+"[^"]*")?\)/g)].map(([, target = '']) => target);
}

/** The anchors of the headings, on git hosts and on the site. A repeated one gets a number. */
export function anchors(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6} +(.*?)(?: +#+)?$/gm)) {
    const base = slugify(heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'));
    let anchor = base;
    for (let count = 1; found.has(anchor); count += 1) anchor = `${base}-${String(count)}`;
    found.add(anchor);
  }
  return found;
}

function withoutFences(text: string): string {
  return text.replaceAll(/^( *)(`{3,}|~{3,})[^\n]*\n[^]*?^ *\2[`~]* *$/gm, '');
}
