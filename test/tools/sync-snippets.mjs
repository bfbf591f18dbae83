/**
 * Keeps the code in the documentation equal to code that is compiled and run.
 *
 *     node test/tools/sync-snippets.mjs [--check] [root]
 *
 * A fence that opens with ```ts source="sample/quickstart/src/app.module.ts#module" gets the text between
 * `//#region module` and `//#endregion module` of that file; without `#module`, the whole file. Of a text file,
 * `output.txt#It calls a tool`, it gets the paragraph that begins with that line. It reads the Markdown files of the root and of
 * docs/ with its folders, sample/README.md, and the README.md of each folder in sample/.
 *
 * With --check nothing is written; it fails for each fence that differs, for each missing file or region, and
 * for each fence of code that has no source, except those of CHANGELOG.md.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rootPages, sitePages } from './documents.mjs';
import { snippet } from './snippet.mjs';

const CODE = /^(ts|tsx|typescript|js|mjs|cjs|javascript|json|jsonc|yaml|yml)$/;
const FENCE = /^(?<indent> *)(?<mark>`{3,}|~{3,})(?<info>[^`]*)$/;

const args = process.argv.slice(2);
const check = args.includes('--check');
const root = resolve(
  args.find((arg) => arg !== '--check') ?? fileURLToPath(new URL('../..', import.meta.url)),
);

const problems = documents().flatMap(checkDocument);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** The paths of all documents, from the root. */
function documents() {
  const samples = existsSync(join(root, 'sample')) ? readdirSync(join(root, 'sample')) : [];
  const readmes = ['sample/README.md', ...samples.map((name) => `sample/${name}/README.md`)];
  return [...rootPages(root), ...sitePages(root), ...readmes.filter((path) => existsSync(join(root, path)))];
}

/** Writes one document anew unless only a check is asked for. @returns what is wrong with it */
function checkDocument(path) {
  const before = readFileSync(join(root, path), 'utf8');
  const found = [];
  const after = mapFences(before.split('\n'), (fence) => {
    const source = /\ssource="(?<source>[^"]*)"/.exec(fence.info)?.groups.source;
    const { content, problem } = source === undefined ? withoutSource(path, fence) : filled(source, fence);
    if (problem !== undefined) found.push(`${path}:${String(fence.line)} ${problem}`);
    return content ?? fence.content;
  }).join('\n');
  if (!check && after !== before) writeFileSync(join(root, path), after);
  return found;
}

function withoutSource(path, { info }) {
  const [language = ''] = info.trim().split(/\s/);
  const isUnproven = check && path !== 'CHANGELOG.md' && CODE.test(language);
  return isUnproven ? { problem: `a fence of ${language} has no source="…"` } : {};
}

/** A fence with what its source says. */
function filled(source, fence) {
  const { text, problem } = snippet(root, source);
  if (problem !== undefined) return { problem };
  if (text.some((line) => line.trim().startsWith(fence.mark))) {
    return { problem: `${source} holds ${fence.mark}; make the fence longer` };
  }
  const content = text.map((line) => (line === '' ? '' : fence.indent + line));
  if (check && content.join('\n') !== fence.content.join('\n')) {
    return { problem: `differs from ${source}; run: node test/tools/sync-snippets.mjs` };
  }
  return { content };
}

/** Replaces the lines of each fence by what `replace` gives for them. */
function mapFences(lines, replace) {
  const result = [];
  for (let at = 0; at < lines.length; at += 1) {
    result.push(lines[at]);
    const open = FENCE.exec(lines[at])?.groups;
    if (!open) continue;
    const isClose = (line) =>
      line.trim().startsWith(open.mark) && line.trim() === open.mark[0].repeat(line.trim().length);
    const length = lines.slice(at + 1).findIndex(isClose);
    const end = length === -1 ? lines.length : at + 1 + length;
    result.push(...replace({ ...open, line: at + 1, content: lines.slice(at + 1, end) }));
    if (length !== -1) result.push(lines[end]);
    at = end;
  }
  return result;
}
