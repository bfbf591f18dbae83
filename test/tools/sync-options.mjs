/**
 * Writes OPTIONS.md from the types and doc comments of the options.
 *
 *     node test/tools/sync-options.mjs [--check] [root]
 *
 * It begins with the types that `forRoot()` and `forRootAsync()` take and follows the types of their members, but
 * for those of functions, which nobody writes. A row has the first sentence of the comment; what else it says stands
 * beside it where it is short, and below the table where it is not.
 *
 * With --check nothing is written; it fails when the page differs. Both fail for an option without a comment.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import ts from 'typescript';

const FOLDER = 'lib/options';
const ROOTS = ['McpAuthModuleOptions', 'McpAuthModuleExtras', 'McpAuthModuleAsyncOptions'];
const INTRODUCTION = `# Options

What \`McpAuthModule.forRoot()\` and \`forRootAsync()\` take, made by \`node test/tools/sync-options.mjs\` from the types
and comments in [${FOLDER}](${FOLDER}). Options are checked at bootstrap: an unknown name, a wrong type or a value out
of range stops the start, and the message names every problem with its path. A name with a link has more said of it below
its table.`;
const SHORT = 120;

const args = process.argv.slice(2);
const check = args.includes('--check');
const root = resolve(
  args.find((arg) => arg !== '--check') ?? fileURLToPath(new URL('../..', import.meta.url)),
);

const problems = [];
const declarations = readDeclarations();
const style = await prettier.resolveConfig(fileURLToPath(import.meta.url));
const page = await prettier.format(makePage(), { ...style, parser: 'markdown', proseWrap: 'always' });
const path = join(root, 'OPTIONS.md');
const before = existsSync(path) ? readFileSync(path, 'utf8') : '';
if (check && page !== before) problems.push('OPTIONS.md: run node test/tools/sync-options.mjs');
if (!check && problems.length === 0) writeFileSync(path, page);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** The classes, interfaces and type aliases of what users write, by name. */
function readDeclarations() {
  const found = new Map();
  for (const name of readdirSync(join(root, FOLDER)).filter((each) => each.endsWith('-options.ts'))) {
    const text = readFileSync(join(root, FOLDER, name), 'utf8');
    const file = ts.createSourceFile(name, text, ts.ScriptTarget.ES2022, true);
    for (const node of file.statements) {
      if (hasMembers(node) || ts.isTypeAliasDeclaration(node)) found.set(node.name.text, node);
    }
  }
  return found;
}

function hasMembers(node) {
  return ts.isClassDeclaration(node) || ts.isInterfaceDeclaration(node);
}

function makePage() {
  const slugs = new Map();
  // The first reading gives every heading its anchor, so that rows can point down the page.
  const sections = reachable(hasMembers)
    .map((node) => ({ node, rows: rowsOf(node) }))
    .filter(({ rows }) => rows.length > 0);
  for (const { node, rows } of sections) {
    slugs.set(node, newSlug(node.name.text, slugs));
    for (const row of rows.filter(({ details }) => details !== '')) slugs.set(row, newSlug(row.name, slugs));
  }
  const page = [INTRODUCTION, ...sections.map((section) => printSection(section, slugs))];
  const types = reachable(ts.isTypeAliasDeclaration);
  return (types.length > 0 ? [...page, '## Types', ...types.map(printType)] : page).join('\n\n');
}

/** What GitHub makes of a heading: a repeated one gets a number. */
function newSlug(heading, slugs) {
  const base = heading.toLowerCase();
  const taken = [...slugs.values()].filter((slug) => slug.replace(/-\d+$/, '') === base).length;
  return taken === 0 ? base : `${base}-${taken}`;
}

/** The declarations of a kind that hold options, those of the module first, each before those that its members name. */
function reachable(isOfKind) {
  const ordered = new Set();
  const visit = (name) => {
    const node = declarations.get(name);
    if (!node || ordered.has(node)) return;
    ordered.add(node);
    for (const next of namesIn(node)) visit(next);
  };
  for (const name of ROOTS) visit(name);
  return [...ordered].filter(isOfKind);
}

/** The types that a declaration names, without those that are only arguments of functions or their results. */
function namesIn(declaration) {
  const names = [];
  const look = (node) => {
    if (ts.isFunctionTypeNode(node) || ts.isDecorator(node)) return;
    if (ts.isTypeReferenceNode(node) && ts.isIdentifier(node.typeName)) names.push(node.typeName.text);
    if (ts.isExpressionWithTypeArguments(node)) names.push(node.expression.getText());
    ts.forEachChild(node, look);
  };
  ts.forEachChild(declaration, look);
  return names;
}

function rowsOf(node) {
  const isOption = (member) => ts.isPropertySignature(member) || ts.isPropertyDeclaration(member);
  return node.members.filter(isOption).map((member) => {
    const name = member.name.getText();
    const doc = readDoc(member);
    if (doc.sentence === '') problems.push(`${node.name.text}.${name} has no doc comment`);
    const byDefault = member.questionToken ? (doc.defaultValue ?? 'none') : '**required**';
    return { name, type: typeOf(member), byDefault, ...doc };
  });
}

function typeOf(node) {
  return oneLine(node.type.getText()).replace(/^\| /, '').replaceAll('( ', '(').replaceAll(', )', ')');
}

function printType(node) {
  const comment = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc)?.comment;
  const about = plain(ts.getTextOfJSDocComment(comment) ?? '');
  if (about === '') problems.push(`${node.name.text} has no doc comment`);
  return `### ${node.name.text}\n\n\`${typeOf(node)}\`\n\n${about}`;
}

/** What a doc comment says, taken apart. */
function readDoc(node) {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const body = plain(ts.getTextOfJSDocComment(doc?.comment) ?? '');
  const { limits, rest } = takeLimits(body);
  const end = (/\.(?=\s|$)/.exec(rest)?.index ?? rest.length) + 1;
  const isShort = oneLine(rest.slice(end)).length <= SHORT;
  const tags = doc?.tags ?? [];
  const textOf = (tag) => ts.getTextOfJSDocComment(tag.comment) ?? '';
  const defaultTag = tags.find(({ tagName }) => tagName.text === 'defaultValue');
  return {
    sentence: oneLine(isShort ? rest : rest.slice(0, end)),
    details: isShort ? '' : rest.slice(end).trim(),
    limits,
    defaultValue: defaultTag && oneLine(plain(textOf(defaultTag))),
    sources: tags.filter(({ tagName }) => tagName.text === 'see').map((tag) => oneLine(plain(textOf(tag)))),
  };
}

/** `Unit: seconds. Range: 0 to 300.`, apart from the rest of the text. */
function takeLimits(text) {
  const limits = [];
  const rest = text.replace(/\b(?:Unit|Range): ([^.]+)\.\s?/g, (_, limit) => {
    limits.push(oneLine(limit));
    return '';
  });
  return { limits: limits.join(', '), rest: rest.trim() };
}

/** Links as Markdown has them; those to declarations lead to their place on the page, if they have one. */
function plain(text) {
  return text
    .replace(/\{@link (https?:[^\s|}]+)\s*\|\s*([^}]+?)\s*\}/g, '[$2]($1)')
    .replace(/\{@link ([^\s|}]+)[^}]*\}/g, (_, name) =>
      declarations.has(name) ? `[\`${name}\`](#${name.toLowerCase()})` : `\`${name}\``,
    );
}

function oneLine(text) {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function printSection({ node, rows }, slugs) {
  const doc = readDoc(node);
  const file = `${FOLDER}/${node.getSourceFile().fileName}`;
  const inherited = (node.heritageClauses ?? [])
    .flatMap(({ types }) => types.map(({ expression }) => expression.text))
    .filter((name) => declarations.has(name))
    .map((name) => `It has the members of [\`${name}\`](#${name.toLowerCase()}) too.`);
  const see = [...doc.sources, `[${file.slice(file.lastIndexOf('/') + 1)}](${file})`].join(', ');
  const about = [doc.sentence, doc.details, ...inherited, `See ${see}.`].filter((text) => text !== '');
  const details = rows.filter((row) => row.details !== '').map((row) => `### ${row.name}\n\n${row.details}`);
  return [`## ${node.name.text}`, about.join(' '), printTable(rows, slugs), ...details].join('\n\n');
}

function printTable(rows, slugs) {
  const cells = rows.map((row) => [
    row.details === '' ? `\`${row.name}\`` : `[\`${row.name}\`](#${slugs.get(row)})`,
    `\`${row.type}\`${row.limits === '' ? '' : `, ${row.limits}`}`,
    row.byDefault,
    row.sentence,
    row.sources.join(', '),
  ]);
  return [
    ['name', 'type, unit, range', 'default', 'what it says', 'source'],
    ['---', '---', '---', '---', '---'],
    ...cells,
  ]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}
