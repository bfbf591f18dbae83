import type { McpOperationKind } from '../mcp/operations.js';
import type { AnyOfScopes } from '../mcp/scope-requirement.js';

/** One of the lists of an MCP server, and the form of its result. */
interface McpList {
  readonly kind: McpOperationKind;
  /** The member of the result that holds the entries. */
  readonly member: string;
  /** The member of an entry by which it is called. */
  readonly key: 'name' | 'uri' | 'uriTemplate';
}

const LISTS: ReadonlyMap<unknown, McpList> = new Map<string, McpList>([
  ['tools/list', { kind: 'tool', member: 'tools', key: 'name' }],
  ['prompts/list', { kind: 'prompt', member: 'prompts', key: 'name' }],
  ['resources/list', { kind: 'resource', member: 'resources', key: 'uri' }],
  ['resources/templates/list', { kind: 'resource', member: 'resourceTemplates', key: 'uriTemplate' }],
]);

/** The access of a caller to one entry of a list. @internal */
export interface Access {
  /** The required scopes, including those of the resource; one of each `anyOf`. Without scopes from functions. */
  readonly required: readonly (string | AnyOfScopes)[];
  /** Whether the caller has them. */
  readonly granted: boolean;
  /** Whether a call may need more scopes, depending on its arguments. */
  readonly dependsOnArguments: boolean;
}

/** The rules for changing lists. @internal */
export interface ListRules {
  readonly policy: 'hide' | 'annotate';
  readonly access: (kind: McpOperationKind, name: string) => Access;
  /** Whether results say how they may be cached. Then changed lists must be marked as private to the caller. */
  readonly saysCacheScope: boolean;
}

/**
 * The `_meta` member of annotated entries that has the required scopes.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic | MCP, _meta}
 */
const SCOPES_META = 'nestjs-mcp-auth/scopes';

/** Whether a message of a parsed body asks for a list. @internal */
export function asksForList(body: unknown): boolean {
  return Array.isArray(body) ? body.some(asksForOne) : asksForOne(body);
}

function asksForOne(message: unknown): boolean {
  return isRecord(message) && LISTS.has(message['method']);
}

/**
 * Applies a policy to the lists in a response, in place: of one message or of a batch. Lists are recognized by their
 * content, not by the message id, which the client has chosen.
 *
 * @returns whether anything has changed
 * @internal
 */
export function applyToAnswer(answer: unknown, rules: ListRules): boolean {
  const messages: readonly unknown[] = Array.isArray(answer) ? answer : [answer];
  return messages.map((message) => applyToMessage(message, rules)).includes(true);
}

function applyToMessage(message: unknown, rules: ListRules): boolean {
  const result = isRecord(message) ? message['result'] : undefined;
  if (!isRecord(result)) return false;
  const found = [...LISTS.values()].filter(({ member }) => Array.isArray(result[member]));
  if (found.length === 0) return false;
  const changed = found.map((list) => applyToList(result, list, rules)).includes(true);
  return keepPrivate(result, rules) || changed;
}

/** Marks a result as private to its caller, if results say how they may be cached. */
function keepPrivate(result: Record<string, unknown>, { saysCacheScope }: ListRules): boolean {
  if (result['cacheScope'] === 'private' || !(saysCacheScope || 'cacheScope' in result)) return false;
  result['cacheScope'] = 'private';
  return true;
}

function applyToList(result: Record<string, unknown>, list: McpList, rules: ListRules): boolean {
  const entries = result[list.member] as readonly unknown[];
  if (rules.policy === 'hide') {
    const open = entries.filter((entry) => accessOf(entry, list, rules)?.granted === true);
    result[list.member] = open;
    return open.length < entries.length;
  }
  return entries.map((entry) => annotate(entry, accessOf(entry, list, rules))).includes(true);
}

/** Returns the access to an entry; undefined if it has no name, so that it cannot be called. */
function accessOf(entry: unknown, { kind, key }: McpList, rules: ListRules): Access | undefined {
  const name = isRecord(entry) ? entry[key] : undefined;
  return typeof name === 'string' ? rules.access(kind, name) : undefined;
}

function annotate(entry: unknown, access: Access | undefined): boolean {
  if (!access || !isRecord(entry)) return false;
  const { required, granted, dependsOnArguments } = access;
  const meta = isRecord(entry['_meta']) ? entry['_meta'] : {};
  const scopes = { required, granted, ...(dependsOnArguments && { dependsOnArguments }) };
  entry['_meta'] = { ...meta, [SCOPES_META]: scopes };
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
