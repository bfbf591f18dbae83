/**
 * Writes docs/reference/options.md from the types and doc comments of the options.
 *
 *     node test/tools/sync-options.mjs [--check] [root]
 *
 * It begins with the types that `forRoot()` and `forRootAsync()` take and follows the types of their members, except those of
 * functions, which users do not write. Each option has a section with its facts and its comment. If test/docs/option-examples.ts
 * has a region `Type.option`, that is the option's example.
 *
 * With --check nothing is written; it fails if the page differs. Both fail for an option without a comment, and for an
 * example of an option that does not exist.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { formatted, root, settle } from './generated-page.mjs';
import { snippet } from './snippet.mjs';

const FOLDER = 'lib/options';
const ROOTS = [
  ...['McpAuthModuleOptions', 'McpAuthModuleExtras', 'McpAuthModuleAsyncOptions'],
  // What a function or method of the application returns.
  'TenantOptions',
];
const PAGE = 'docs/reference/options.md';
/** From the page to the root. */
const UP = '../..';
const EXAMPLES = 'test/docs/option-examples.ts';
/** The version of an option whose comment has no `@since`. */
const FIRST_VERSION = '0.1.0';
const INTRODUCTION = `# Options

\`McpAuthModule.forRoot()\` and \`forRootAsync()\` take these options. The application checks them at bootstrap. It does not
start if a name is unknown, a type is wrong or a value is out of range. The message names every problem with its path.

This page is made by \`node test/tools/sync-options.mjs\` from the types and comments in
[${FOLDER}](${UP}/${FOLDER}).`;

const problems = [];
const declarations = readDeclarations();
const examples = readExamples();
const anchors = makeAnchors();
const page = await formatted(makePage(), { embeddedLanguageFormatting: 'off' });
for (const name of examples) problems.push(`${EXAMPLES} has an example of ${name}, which is no option`);
settle(PAGE, page, 'sync-options.mjs', problems);

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

/** The names of the options that have an example, such as `TokenCacheOptions.maxEntries`. */
function readExamples() {
  const path = join(root, EXAMPLES);
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  return new Set([...text.matchAll(/\/\/ ?#region (\w+\.\w+)$/gm)].map(([, name]) => name));
}

/** The anchor of each heading, by `Type` and `Type.option`. A repeated heading gets a number, as on git hosts. */
function makeAnchors() {
  const made = new Map();
  const counts = new Map([['options', 1]]);
  const add = (name, heading) => {
    const base = heading.toLowerCase();
    const count = counts.get(base) ?? 0;
    counts.set(base, count + 1);
    made.set(name, count === 0 ? base : `${base}-${count}`);
  };
  for (const node of sections()) {
    add(node.name.text, node.name.text);
    for (const option of optionsOf(node))
      add(`${node.name.text}.${option.name.getText()}`, option.name.getText());
  }
  const types = reachable(ts.isTypeAliasDeclaration);
  if (types.length > 0) add('', 'Types');
  for (const node of types) add(node.name.text, node.name.text);
  return made;
}

function sections() {
  return reachable(hasMembers).filter((node) => optionsOf(node).length > 0);
}

function makePage() {
  const types = reachable(ts.isTypeAliasDeclaration);
  const groups = [INTRODUCTION, ...sections().map(printSection)];
  return (types.length > 0 ? [...groups, '## Types', ...types.map(printType)] : groups).join('\n\n');
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

function optionsOf(node) {
  return node.members.filter((member) => ts.isPropertySignature(member) || ts.isPropertyDeclaration(member));
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

/** The parts of a doc comment. */
function readDoc(node) {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const tags = (doc?.tags ?? []).map(({ tagName, comment }) => ({
    name: tagName.text,
    text: oneLine(plain(ts.getTextOfJSDocComment(comment) ?? '')),
  }));
  const textOf = (tag) => tags.find(({ name }) => name === tag)?.text;
  return {
    ...takeLimits(plain(ts.getTextOfJSDocComment(doc?.comment) ?? '')),
    defaultValue: textOf('defaultValue'),
    since: textOf('since') ?? FIRST_VERSION,
    sources: tags.filter(({ name }) => name === 'see').map(({ text }) => text),
  };
}

/** `Unit: seconds. Range: 0 to 300.`, apart from the rest of the text. */
function takeLimits(text) {
  const limits = {};
  const rest = text.replace(/\b(Unit|Range): ([^.]+)\.\s?/g, (_, name, limit) => {
    limits[name.toLowerCase()] = oneLine(limit);
    return '';
  });
  return { ...limits, text: rest.trim() };
}

/** Links as Markdown has them. Links to types and options lead to their place on the page, if they have one. */
function plain(text) {
  return text
    .replace(/\{@link (https?:[^\s|}]+)\s*\|\s*([^}]+?)\s*\}/g, '[$2]($1)')
    .replace(/\{@link ([^\s|}]+)[^}]*\}/g, (_, name) => linkTo(name));
}

function linkTo(name) {
  const anchor = anchors.get(name);
  return anchor === undefined ? `\`${name}\`` : `[\`${name}\`](#${anchor})`;
}

function oneLine(text) {
  return text.replaceAll(/\s+/g, ' ').trim();
}

function printSection(node) {
  const { text, sources } = readDoc(node);
  const file = `${FOLDER}/${node.getSourceFile().fileName}`;
  const inherited = (node.heritageClauses ?? [])
    .flatMap(({ types }) => types.map(({ expression }) => expression.text))
    .filter((name) => declarations.has(name))
    .map((name) => `It also has the members of ${linkTo(name)}.`);
  const see = [...sources, `[${file.slice(file.lastIndexOf('/') + 1)}](${UP}/${file})`].join(', ');
  const about = [text, ...inherited, `See ${see}.`].filter((each) => each !== '').join(' ');
  return [`## ${node.name.text}`, about, ...optionsOf(node).map((option) => printOption(node, option))].join(
    '\n\n',
  );
}

function printOption(node, option) {
  const name = option.name.getText();
  const fullName = `${node.name.text}.${name}`;
  const doc = readDoc(option);
  if (doc.text === '') problems.push(`${fullName} has no doc comment`);
  const facts = [
    `Type: \`${typeOf(option)}\``,
    doc.unit && `Unit: ${doc.unit}`,
    doc.range && `Range: ${doc.range}`,
    option.questionToken ? `Default: ${printDefault(doc.defaultValue)}` : 'Required',
    `Since: ${doc.since}`,
  ];
  const list = facts.filter((fact) => fact !== undefined).map((fact) => `- ${fact}`);
  const see = doc.sources.length > 0 ? [`See ${doc.sources.join(', ')}.`] : [];
  return [`### ${name}`, list.join('\n'), doc.text, ...see, ...printExample(fullName)].join('\n\n');
}

/** Values are code, anything else is text. */
function printDefault(value = 'none') {
  return /^(?:-?[\d._]+|true|false|'[^']*')$/.test(value) ? `\`${value}\`` : value;
}

function printExample(name) {
  if (!examples.delete(name)) return [];
  const source = `${EXAMPLES}#${name}`;
  const { text, problem } = snippet(root, source);
  if (problem !== undefined) problems.push(problem);
  return [['```ts source="' + source + '"', ...(text ?? []), '```'].join('\n')];
}
