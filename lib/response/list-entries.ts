import type { McpOperationKind } from '../mcp/operations.js';
import type { SecurityScheme } from './tool-security.js';

/** One of the lists of an MCP server, and the form of its result. */
interface McpList {
  readonly kind: McpOperationKind;
  /** The member of the result that holds the entries. */
  readonly member: string;
  /** The member of an entry by which it is called. */
  readonly key: 'name' | 'uri' | 'uriTemplate';
}

const TOOLS_LIST = 'tools/list';

const LISTS: ReadonlyMap<unknown, McpList> = new Map<string, McpList>([
  [TOOLS_LIST, { kind: 'tool', member: 'tools', key: 'name' }],
  ['prompts/list', { kind: 'prompt', member: 'prompts', key: 'name' }],
  ['resources/list', { kind: 'resource', member: 'resources', key: 'uri' }],
  ['resources/templates/list', { kind: 'resource', member: 'resourceTemplates', key: 'uriTemplate' }],
]);

/** The rules for changing lists. @internal */
export interface ListRules {
  /** Whether a caller may see an entry; undefined if no entry is hidden. */
  readonly isVisible: ((kind: McpOperationKind, name: string) => boolean) | undefined;
  /** The security schemes of a tool; undefined if lists do not say them. */
  readonly schemesOf: ((tool: string) => readonly SecurityScheme[]) | undefined;
  /** Whether results say how they may be cached. Then lists with hidden entries must be marked as private to the caller. */
  readonly saysCacheScope: boolean;
}

/** Returns the kinds of all lists. @internal */
export function allListedKinds(): ReadonlySet<McpOperationKind> {
  return new Set([...LISTS.values()].map(({ kind }) => kind));
}

/** Returns the kinds of the lists that a parsed body asks for. @internal */
export function listedKinds(body: unknown): ReadonlySet<McpOperationKind> {
  const messages: readonly unknown[] = Array.isArray(body) ? body : [body];
  const lists = messages.map((message) => LISTS.get(isRecord(message) ? message['method'] : undefined));
  return new Set(lists.flatMap((list) => (list ? [list.kind] : [])));
}

/** Whether a message of a parsed body asks for a list. @internal */
export function asksForList(body: unknown): boolean {
  return asks(body, (method) => LISTS.has(method));
}

/** Whether a message of a parsed body asks for a list of tools. @internal */
export function asksForTools(body: unknown): boolean {
  return asks(body, (method) => method === TOOLS_LIST);
}

function asks(body: unknown, isAsked: (method: unknown) => boolean): boolean {
  const asksOne = (message: unknown): boolean => isRecord(message) && isAsked(message['method']);
  return Array.isArray(body) ? body.some(asksOne) : asksOne(body);
}

/**
 * Applies rules to the lists in a response, in place: of one message or of a batch. Lists are recognized by their content,
 * not by the message id, which the client has chosen.
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

/** Marks a result whose entries depend on the caller as private, if results say how they may be cached. */
function keepPrivate(result: Record<string, unknown>, { isVisible, saysCacheScope }: ListRules): boolean {
  if (!isVisible || result['cacheScope'] === 'private') return false;
  if (!(saysCacheScope || 'cacheScope' in result)) return false;
  result['cacheScope'] = 'private';
  return true;
}

function applyToList(
  result: Record<string, unknown>,
  { kind, member, key }: McpList,
  { isVisible, schemesOf }: ListRules,
): boolean {
  const entries = result[member] as readonly unknown[];
  const visible = entries.filter((entry) => {
    const name = nameOf(entry, key);
    // An entry without a name cannot be called.
    return !isVisible || (name !== undefined && isVisible(kind, name));
  });
  result[member] = visible;
  const isMarked =
    kind === 'tool' && schemesOf !== undefined && visible.map((tool) => mark(tool, schemesOf)).includes(true);
  return isMarked || visible.length < entries.length;
}

function nameOf(entry: unknown, key: McpList['key']): string | undefined {
  const name = isRecord(entry) ? entry[key] : undefined;
  return typeof name === 'string' ? name : undefined;
}

/** Writes the schemes where OpenAI documents them, and where SDKs let servers write them. */
function mark(tool: unknown, schemesOf: NonNullable<ListRules['schemesOf']>): boolean {
  const name = nameOf(tool, 'name');
  if (name === undefined || !isRecord(tool)) return false;
  const securitySchemes = schemesOf(name);
  const meta = isRecord(tool['_meta']) ? tool['_meta'] : {};
  Object.assign(tool, { securitySchemes, _meta: { ...meta, securitySchemes } });
  return true;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
