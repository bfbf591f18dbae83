/** Finds the documents of a project. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** The paths of the site's pages, from the root, in order. What the site is built from, and what is built, is left out. */
export function sitePages(root, folder = 'docs') {
  if (!existsSync(join(root, folder))) return [];
  const entries = readdirSync(join(root, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return /^(\.vitepress|public)$/.test(entry.name) ? [] : sitePages(root, path);
    return entry.name.endsWith('.md') ? [path] : [];
  });
}

/** The names of the Markdown files of the root. */
export function rootPages(root) {
  return readdirSync(root).filter((name) => name.endsWith('.md'));
}
