/**
 * Checks how the public documents are written: the pages of the site, README.md, SECURITY.md and CONTRIBUTING.md.
 *
 *     node test/tools/lint-docs.mjs [root]
 *
 * - A line of prose has at most 400 characters, a line of code at most 120. What programs print, in a fence of `console`, `http`
 *   or `text`, is not limited.
 * - A table has at most four columns, and its rows at most 160 characters.
 * - A page has one heading of the first level, before all others, and no heading leaves out a level. A page with the layout
 *   "home" has its heading in its front matter.
 * - No phrase of the list below stands in a heading or in prose. Code is not checked for phrases.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sitePages } from './documents.mjs';

const MAX_PROSE = 400;
const MAX_CODE = 120;
const MAX_ROW = 160;
const MAX_COLUMNS = 4;
const ROOT_PAGES = ['README.md', 'SECURITY.md', 'CONTRIBUTING.md'];

/** The languages of fences that show what programs print. */
const OUTPUT = /^(?:console|http|text)$/;
const FENCE = /^ *(?<characters>`{3,}|~{3,})(?<language>\w*)/;

/** Phrases that readers stumble over, each with what to write. */
const PHRASES = [
  [/\b(?:cannot be|to be|can be) had\b/i, '"cannot be fetched" or "is not available"'],
  [/\bto the letter\b|\bletter (?:by|for) letter\b/i, '"exactly"'],
  [/\bbut for\b/i, '"except"'],
  [/\bstops? the start\b/i, '"the application does not start"'],
  [/\b(?:whoever|somebody|nobody)\b/i, 'the actor'],
  [/\b(?:let|lets|letting) (?:\w+ )?in\b|\bturn(?:s|ed)? away\b/i, '"authenticate", "authorize" or "reject"'],
  [/\brefus(?:e|es|ed|al|als|ing)\b/i, '"reject" or "rejection"'],
  [/\b(?:admission|admits?|admitted)\b/i, '"authentication" or "authenticate"'],
  [/\bdecided? on\b/i, '"checked" or "evaluated"'],
  [/\bsees? to\b|\bsee that\b/i, '"ensure" or "check"'],
  [/\bas ever\b|\ball the same\b/i, '"still", or nothing'],
  [/\bbe it\b|\bgo(?:es)? by\b/i, 'the plain verb'],
  [/\bsome (?:\d|two|three|four|five|ten|twenty)/i, '"about"'],
  [/\bwhat (?:it|this|that) (?:comes|came) to\b/i, 'the result'],
  [/\bis made anew\b/i, '"is request-scoped" or "is created again"'],
  [/\blook-?alikes?\b/i, '"token type confusion"'],
  [/\bknown resources?\b/i, '"protected resource"'],
  [/\bboot advice\b/i, '"bootstrap warnings"'],
  [/\bsuffices?\b/i, '"satisfies" or "is enough"'],
];

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('../..', import.meta.url)));
const pages = [...ROOT_PAGES.filter((name) => existsSync(join(root, name))), ...sitePages(root)];
const problems = pages.flatMap(problemsOf);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** @returns what is wrong with a page, as `path:line problem` */
function problemsOf(path) {
  const { isHome, lines } = readPage(path);
  const prose = lines.filter(({ isCode }) => !isCode);
  const found = [
    ...lines.flatMap(widthProblems),
    ...prose.flatMap((each, at) => phraseProblems(each, prose[at + 1]?.content ?? '')),
    ...headingProblems(prose, isHome),
  ];
  return found
    .sort((one, other) => one.line - other.line)
    .map(({ line, problem }) => `${path}:${line} ${problem}`);
}

/** The lines after the front matter with their numbers, and whether they are code or output of programs. */
function readPage(path) {
  const text = readFileSync(join(root, path), 'utf8').replaceAll('\r', '');
  const frontMatter = /^---\n[^]*?\n---\n/.exec(text)?.[0] ?? '';
  const offset = frontMatter.split('\n').length;
  let open;
  const lines = text
    .slice(frontMatter.length)
    .split('\n')
    .map((content, at) => {
      const mark = FENCE.exec(content)?.groups;
      const isEnd = open !== undefined && mark?.characters.startsWith(open.characters) === true;
      const isCode = open !== undefined || mark !== undefined;
      const isOutput = OUTPUT.test((open ?? mark)?.language ?? '');
      if (isEnd) open = undefined;
      else open ??= mark;
      return { line: at + offset, content, isCode, isOutput };
    });
  return { isHome: /^layout: home$/m.test(frontMatter), lines };
}

function widthProblems({ line, content, isCode, isOutput }) {
  if (isOutput) return [];
  if (!isCode && /^ *\|/.test(content)) return tableProblems(line, content);
  const most = isCode ? MAX_CODE : MAX_PROSE;
  // Readers see the text of a link, not its address.
  const seen = isCode ? content : content.replaceAll(/\]\([^)]*\)/g, ']');
  if (seen.length <= most) return [];
  return [
    {
      line,
      problem: `a line of ${isCode ? 'code' : 'prose'} has ${seen.length} characters; at most ${most}`,
    },
  ];
}

function tableProblems(line, row) {
  const columns =
    row
      .trim()
      .replace(/\|$/, '')
      .split(/(?<!\\)\|/).length - 1;
  return [
    row.length > MAX_ROW && `a row has ${row.length} characters; at most ${MAX_ROW}`,
    columns > MAX_COLUMNS && `a table has ${columns} columns; at most ${MAX_COLUMNS}`,
  ]
    .filter((problem) => problem !== false)
    .map((problem) => ({ line, problem }));
}

/** A phrase may go on in the next line. */
function phraseProblems({ line, content }, next) {
  const [own, following] = [content, next].map((text) =>
    text
      .replaceAll(/`[^`]*`/g, '')
      .replaceAll(/\]\([^)]*\)/g, ']')
      .trim(),
  );
  return PHRASES.flatMap(([pattern, better]) => {
    const found = pattern.exec(`${own} ${following}`);
    const isHere = found !== null && found.index < own.length;
    return isHere ? [{ line, problem: `"${found[0]}": write ${better}` }] : [];
  });
}

function headingProblems(prose, isHome) {
  const found = [];
  let last = isHome ? 1 : 0;
  for (const { line, content } of prose) {
    const level = /^(#{1,6}) /.exec(content)?.[1].length;
    if (level === undefined) continue;
    if (level === 1 && last > 0) found.push({ line, problem: 'a second heading of the first level' });
    else if (level > last + 1)
      found.push({ line, problem: `a heading of level ${level} follows level ${last}` });
    last = level;
  }
  return last === 0 ? [{ line: 1, problem: 'no heading' }] : found;
}
