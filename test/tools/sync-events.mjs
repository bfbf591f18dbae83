/**
 * Keeps the list of events in docs/reference/events.md equal to lib/events/mcp-auth-event.interface.ts.
 *
 *     node test/tools/sync-events.mjs [--check] [root]
 *
 * Between `<!-- events -->` and `<!-- /events -->` there is a section for each member of the type `McpAuthEvent`. The fields that
 * all events of requests have are listed once, and so are those of an operation. With --check nothing is written; it fails if the list differs. Both fail for an
 * interface or a field without a comment.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { formatted, readPage, root, settle } from './generated-page.mjs';

const SOURCE = 'lib/events/mcp-auth-event.interface.ts';
const PAGE = 'docs/reference/events.md';
const UNION = 'McpAuthEvent';
const OF_REQUEST = 'RequestEvent';
const OPERATION = 'CompletedOperation';
const LIST = /(?<begin><!-- events -->\n)[^]*?(?<end><!-- \/events -->)/;

const problems = [];
const { statements } = ts.createSourceFile(
  SOURCE,
  readFileSync(join(root, SOURCE), 'utf8'),
  ts.ScriptTarget.ES2022,
  true,
);
const declarations = new Map(
  statements
    .filter((node) => ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node))
    .map((node) => [node.name.text, node]),
);
const list = await formatted(makeList());
const before = readPage(PAGE);
if (!LIST.test(before)) problems.push(`${PAGE} has no place for the events`);
const after = before.replace(LIST, (...match) => {
  const { begin, end } = match.at(-1);
  return `${begin}\n${list}\n${end}`;
});
settle(PAGE, after, 'sync-events.mjs', problems);

function makeList() {
  const events = declarations.get(UNION).type.types.map((type) => declarations.get(type.getText()));
  const ofRequests = events.filter((event) => parentsOf(event).includes(OF_REQUEST));
  const ofServers = events.filter((event) => !ofRequests.includes(event));
  const shared = fieldsOf(declarations.get(OF_REQUEST), true);
  return [
    `## Events of requests\n\nEach of these has the following fields, and those of its own section.\n\n${shared}`,
    ...ofRequests.map(print),
    ...(declarations.has(OPERATION) ? [printOperation(declarations.get(OPERATION))] : []),
    '## Events of authorization servers',
    ...ofServers.map(print),
  ].join('\n\n');
}

function parentsOf(node) {
  return (node.heritageClauses ?? []).flatMap(({ types }) =>
    types.map(({ expression }) => expression.getText()),
  );
}

function print(event) {
  const type = event.members.find((member) => member.name.getText() === 'type').type.literal.text;
  return [`### ${type}`, commentOf(event, event.name.text), fieldsOf(event, false)]
    .filter((text) => text !== '')
    .join('\n\n');
}

function printOperation(operation) {
  return `### Operations\n\nEach member of \`operations\` has these fields.\n\n${fieldsOf(operation, true)}`;
}

/** A list of the fields of an interface except `type`, with those of its parents if wanted. */
function fieldsOf(node, withParents) {
  const inherited = withParents ? parentsOf(node).map((name) => fieldsOf(declarations.get(name), true)) : [];
  const own = node.members
    .filter((member) => member.name.getText() !== 'type')
    .map((member) => {
      const name = member.name.getText();
      return `- \`${name}\`, \`${typeOf(member)}\`: ${commentOf(member, `${node.name.text}.${name}`)}`;
    });
  return [...own, ...inherited].join('\n');
}

/** Aliases of this file are written out. */
function typeOf(member) {
  const alias = declarations.get(member.type.getText());
  return oneLine(alias && ts.isTypeAliasDeclaration(alias) ? alias.type.getText() : member.type.getText());
}

function commentOf(node, name) {
  const [doc] = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc);
  const text = oneLine(ts.getTextOfJSDocComment(doc?.comment) ?? '');
  if (text === '') problems.push(`${name} has no doc comment`);
  return text;
}

function oneLine(text) {
  return text.replaceAll(/\s+/g, ' ').trim();
}
