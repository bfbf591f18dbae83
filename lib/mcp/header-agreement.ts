import { MessageRejectedError } from '../errors/rejection.errors.js';
import { headerValues, type OriginRequest } from '../policy/header-values.js';
import { isMirrored } from './protocol-version.js';

/** The member of `_meta` that has the protocol version of a message. @internal */
export const VERSION_META = 'io.modelcontextprotocol/protocolVersion';

/** The member of `params` that `Mcp-Name` mirrors. */
const NAMED_BY: ReadonlyMap<unknown, string> = new Map([
  ['tools/call', 'name'],
  ['prompts/get', 'name'],
  ['resources/read', 'uri'],
  ['tasks/get', 'taskId'],
  ['tasks/update', 'taskId'],
  ['tasks/cancel', 'taskId'],
]);

/** Matches an encoded value, for text that a header cannot contain. */
const ENCODED = /^=\?base64\?(.*)\?=$/;

/** Matches canonical base64. */
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Rejects a message of MCP 2026-07-28 or later whose headers differ from its body: `MCP-Protocol-Version`, `Mcp-Method`
 * and `Mcp-Name`. Proxies use them to route and limit requests without reading the body. Notifications need not have them.
 *
 * Messages of older versions, and bodies that are not JSON-RPC messages, are not checked. A version only in the header is
 * left to the server. A request with a version only in its body is rejected.
 *
 * @param body - parsed
 * @throws {@link MessageRejectedError}
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http | MCP, Streamable HTTP}
 * @internal
 */
export function assertHeadersAgree(request: OriginRequest, body: unknown): void {
  const { jsonrpc, method, id, params } = asRecord(body);
  if (jsonrpc !== '2.0' || typeof method !== 'string') return;
  const named = asRecord(params);
  const claimed = asRecord(named['_meta'])[VERSION_META];
  const versions = headerValues(request, 'mcp-protocol-version');
  if (!isMirrored(claimed) && !versions.some(isMirrored)) return;
  const isRequest = id !== undefined;
  const agrees =
    mirrors(request, 'mcp-protocol-version', claimed ?? versions[0], isRequest) &&
    mirrors(request, 'mcp-method', method, isRequest) &&
    mirrors(request, 'mcp-name', named[NAMED_BY.get(method) ?? ''], isRequest);
  if (!agrees) throw new MessageRejectedError('header_mismatch');
}

/** Whether a header has the same value as the body. True if the body has no text to compare with. */
function mirrors(request: OriginRequest, name: string, expected: unknown, isNeeded: boolean): boolean {
  if (typeof expected !== 'string') return true;
  const [value, ...more] = headerValues(request, name);
  if (value === undefined) return !isNeeded;
  return more.length === 0 && (name === 'mcp-name' ? decoded(value) : value) === expected;
}

/** Returns the decoded value; undefined if it is marked as encoded and is not. */
function decoded(value: string): string | undefined {
  const encoded = ENCODED.exec(value)?.[1];
  if (encoded === undefined) return value;
  if (!BASE64.test(encoded)) return undefined;
  try {
    return UTF_8.decode(Buffer.from(encoded, 'base64'));
  } catch {
    return undefined;
  }
}

function asRecord(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
