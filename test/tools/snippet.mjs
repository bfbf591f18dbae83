/** Reads the parts of files that documents show. */
import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, relative, resolve } from 'node:path';

const REGION = /^\s*\/\/ ?#(?<end>end)?region\b\s*(?<name>\S*)\s*$/;

/** The lines that a `path#region` stands for below a folder, as `text`; or as `problem`, the reason why there are none. */
export function snippet(root, source) {
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
