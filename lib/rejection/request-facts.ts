import { hash } from 'node:crypto';
import type { SentFacts } from '../request/request-audit.js';
import { metaOf } from '../mcp/event-operations.js';
import { VERSION_META } from '../mcp/header-agreement.js';

/** The parts of a platform's request that events tell of. Express and Fastify set `ip`. */
interface SentRequest {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly ip?: unknown;
  readonly socket?: { readonly remoteAddress?: unknown } | null;
}

/** The form of a protocol version. */
const VERSION = /^\d{4}-\d{2}-\d{2}$/;

/**
 * The form of version 00 of a trace context, which has no id of zeros.
 *
 * @see {@link https://www.w3.org/TR/trace-context/#traceparent-header-field-values | W3C Trace Context}
 */
const TRACE_PARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * Reads what the head of a request and its first message say, for events. Values that do not have their form are left out: a
 * client may send anything.
 *
 * @param request - the platform's request, if there is one
 * @param body - parsed
 * @param sessionId - the session that the client named
 * @internal
 */
export function sentFacts(
  request: object | undefined,
  body: unknown,
  sessionId: string | undefined,
): SentFacts {
  const { headers = {} } = (request ?? {}) as SentRequest;
  const meta = metaOf(body);
  return {
    protocolVersion: matching(VERSION, headers['mcp-protocol-version'], meta[VERSION_META]),
    session: sessionId === undefined ? undefined : hash('sha256', sessionId, 'base64url'),
    remoteAddress: remoteAddressOf(request),
    traceparent: matching(TRACE_PARENT, headers['traceparent'], meta['traceparent']),
  };
}

/** Returns the sender's address as the platform sees it; undefined if it does not say. @internal */
export function remoteAddressOf(request: object | undefined): string | undefined {
  const { ip, socket } = (request ?? {}) as SentRequest;
  return text(ip) ?? text(socket?.remoteAddress);
}

/** Returns text; undefined for all else. @internal */
export function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** The first value, if it has its form; else the second. */
function matching(form: RegExp, first: unknown, second: unknown): string | undefined {
  if (typeof first === 'string' && form.test(first)) return first;
  return typeof second === 'string' && form.test(second) ? second : undefined;
}
