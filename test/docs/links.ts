import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const NOT_OURS = new Set(['node_modules', '.git', 'dist', 'docs', 'coverage']);

/** The links of all Markdown files below a folder that lead nowhere, `page: target`. Those to other sites are not looked at. */
export function brokenLinks(root: string): readonly string[] {
  const pages = new Map(markdownFiles(root).map((path) => [path, readFileSync(join(root, path), 'utf8')]));
  const leadsNowhere = (page: string, target: string): boolean => {
    const [path = '', anchor] = target.split('#', 2).map(decodeURIComponent);
    const file = path === '' ? page : normalize(join(dirname(page), path));
    if (path !== '' && (file.startsWith('..') || !existsSync(join(root, file)))) return true;
    return anchor !== undefined && !anchors(pages.get(file) ?? '').has(anchor);
  };
  return [...pages].flatMap(([page, text]) =>
    linksOf(text)
      .filter((target) => !/^[a-z]+:/.test(target) && leadsNowhere(page, target))
      .map((target) => `${page}: ${target}`),
  );
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

/** What GitHub makes of the headings: the words in lower case with hyphens between; a repeated one gets a number. */
export function anchors(text: string): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [, heading = ''] of withoutFences(text).matchAll(/^#{1,6} +(.*?)(?: +#+)?$/gm)) {
    const base = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = base;
    for (let count = 1; found.has(anchor); count += 1) anchor = `${base}-${String(count)}`;
    found.add(anchor);
  }
  return found;
}

function withoutFences(text: string): string {
  return text.replaceAll(/^( *)(`{3,}|~{3,})[^\n]*\n[^]*?^ *\2[`~]* *$/gm, '');
}
