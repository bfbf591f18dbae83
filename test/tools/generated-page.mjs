/** What the tools share that make a page of docs/reference/, or parts of one. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const args = process.argv.slice(2);

/** Whether nothing is to be written. */
const isCheck = args.includes('--check');

/** The folder that has the sources and the page: the argument of the tool, or this project. */
export const root = resolve(args.find((arg) => arg !== '--check') ?? PROJECT);

/**
 * The text as prettier writes Markdown in this project.
 *
 * @param more - other options of prettier
 */
export async function formatted(text, more = {}) {
  const style = await prettier.resolveConfig(fileURLToPath(import.meta.url));
  return prettier.format(text, { ...style, parser: 'markdown', proseWrap: 'always', ...more });
}

/** The text of a page; empty if there is none. */
export function readPage(page) {
  const path = join(root, page);
  return existsSync(path) ? readFileSync(path, 'utf8') : '';
}

/**
 * Writes the page unless there are problems. With --check it writes nothing, and a page that differs is a problem. Prints the
 * problems, and fails if there are any.
 *
 * @param page - its path from the root
 * @param tool - what writes it, such as `sync-events.mjs`
 */
export function settle(page, text, tool, problems) {
  const isSame = text === readPage(page);
  const all = isCheck && !isSame ? [...problems, `${page}: run node test/tools/${tool}`] : problems;
  for (const problem of all) console.error(problem);
  process.exitCode = all.length > 0 ? 1 : 0;
  if (isCheck || isSame || all.length > 0) return;
  const path = join(root, page);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}
