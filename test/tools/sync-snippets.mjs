/**
 * Keeps the code in the documentation equal to code that is compiled and run.
 *
 *     node test/tools/sync-snippets.mjs [--check] [root]
 *
 * A fence that opens with ```ts source="sample/quickstart/src/app.module.ts#module" gets the text between
 * `//#region module` and `//#endregion module` of that file; without `#module`, the whole file. Of a text file,
 * `output.txt#It calls a tool`, it gets the paragraph that begins with that line. Looked at are the Markdown files of the
 * root, sample/README.md, and the README.md of each folder in sample/.
 *
 * With --check nothing is written; it fails for each fence that differs, for each missing file or region, and
 * for each fence of code that has no source, except those of CHANGELOG.md.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const CODE = /^(ts|tsx|typescript|js|mjs|cjs|javascript|json|jsonc|yaml|yml)$/;
const FENCE = /^(?<indent> *)(?<mark>`{3,}|~{3,})(?<info>[^`]*)$/;
const REGION = /^\s*\/\/ ?#(?<end>end)?region\b\s*(?<name>\S*)\s*$/;

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
  const markdown = readdirSync(root).filter((name) => name.endsWith('.md'));
  const samples = existsSync(join(root, 'sample')) ? readdirSync(join(root, 'sample')) : [];
  const readmes = ['sample/README.md', ...samples.map((name) => `sample/${name}/README.md`)];
  return [...markdown, ...readmes.filter((path) => existsSync(join(root, path)))];
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
  const { text, problem } = snippet(source);
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

/** The lines that a `path#region` stands for, or the reason why there are none. */
function snippet(source) {
  const [path, name] = source.split('#', 2);
  const file = resolve(root, path);
  const fromRoot = relative(root, file);
  if (fromRoot.startsWith('..') || isAbsolute(fromRoot)) return { problem: `${path} is not in this folder` };
  if (!existsSync(file)) return { problem: `the file ${path} is missing` };
  const lines = readFileSync(file, 'utf8').split(/\r?\n/);
  const part = path.endsWith('.txt') ? paragraph : region;
  const text = name === undefined ? lines : part(lines, name);
  if (!text) return { problem: `${path} has no region ${name}, or none that ends` };
  return { text: tidy(text.filter((line) => !REGION.test(line))) };
}

function region(lines, name) {
  const marker = (end) => (line) => {
    const groups = REGION.exec(line)?.groups;
    return groups?.name === name && (groups.end !== undefined) === end;
  };
  const start = lines.findIndex(marker(false));
  const end = lines.findIndex(marker(true));
  return start === -1 || end < start ? undefined : lines.slice(start + 1, end);
}

function paragraph(lines, firstLine) {
  const start = lines.findIndex((line, at) => line === firstLine && (lines[at - 1] ?? '') === '');
  const length = lines.slice(start).indexOf('');
  return start === -1 ? undefined : lines.slice(start, length === -1 ? undefined : start + length);
}

/** Without the indentation that all lines share, and without blank lines at either end. */
function tidy(lines) {
  const filled = lines.filter((line) => line.trim() !== '');
  const indent = Math.min(...filled.map((line) => line.search(/\S/)));
  const first = lines.findIndex((line) => line.trim() !== '');
  const last = lines.findLastIndex((line) => line.trim() !== '');
  return lines.slice(first, last + 1).map((line) => line.slice(indent).trimEnd());
}
