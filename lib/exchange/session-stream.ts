import { type ServerResponse } from 'node:http';
import { isEventStream } from '../platform/response-arguments.js';
import { beforeHead } from './session-id.js';

/** The query parameter by which a transport of MCP 2024-11-05 tells its streams apart. */
const PARAMETER = 'sessionId';

/** The part of a Node request that tells its target. @internal */
export interface TargetedRequest {
  url?: string | undefined;
  originalUrl?: string | undefined;
}

/**
 * Tells which session a stream of the transport of MCP 2024-11-05 announces: its first event says where messages are to
 * be posted.
 *
 * @param announced - called before the event is sent
 * @see {@link https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse | MCP 2024-11-05, HTTP with SSE}
 * @internal
 */
export function onAnnouncedSession(response: ServerResponse, announced: (id: string) => void): void {
  beforeHead(response, ({ header }) => {
    if (!isEventStream(header('content-type'))) return;
    const write = response.write.bind(response) as (...args: unknown[]) => boolean;
    let isFirst = true;
    response.write = (...args: unknown[]): boolean => {
      const id = isFirst ? announcedIn(args[0]) : undefined;
      isFirst = false;
      if (id !== undefined) announced(id);
      return write(...args);
    };
  });
}

function announcedIn(chunk: unknown): string | undefined {
  const text = chunk instanceof Uint8Array ? Buffer.from(chunk).toString() : String(chunk);
  // Clients send no fragment back.
  const query = /^event: ?endpoint\r?\ndata: ?[^\s?#]*\?([^\s#]*)/.exec(text)?.[1];
  return new URLSearchParams(query).get(PARAMETER) ?? undefined;
}

/** What may stand around a value in a target. Platforms differ in where a query begins: on Fastify, at a `#` too. */
const AROUND_VALUES = /([/?#;&=,])/;

/** All values in the target of a request, as by which name a handler looks for one is not known. @internal */
export function targetValues({ url = '', originalUrl = '' }: TargetedRequest): readonly string[] {
  return `${url}?${originalUrl}`.split(AROUND_VALUES).map(decoded);
}

/**
 * Puts a value in the place of another in the target of a request, and in what the platform has read from it.
 *
 * @param request - the platform's request
 * @param node - the Node request in it
 * @internal
 */
export function replaceTargetValue(request: object, node: TargetedRequest, value: string, by: string): void {
  const replaced = (target: string): string =>
    target
      .split(AROUND_VALUES)
      .map((part) => (decoded(part) === value ? by : part))
      .join('');
  if (node.url !== undefined) node.url = replaced(node.url);
  if (node.originalUrl !== undefined) node.originalUrl = replaced(node.originalUrl);
  const { query, params } = request as { query?: unknown; params?: unknown };
  for (const read of [query, params]) replaceMembers(read, value, by);
}

function replaceMembers(read: unknown, value: string, by: string): void {
  if (typeof read !== 'object' || read === null) return;
  for (const [name, member] of Object.entries(read)) {
    if (member === value) (read as Record<string, unknown>)[name] = by;
    else replaceMembers(member, value, by);
  }
}

/** What is wrongly encoded is taken as it is, as platforms do. */
function decoded(part: string): string {
  if (!part.includes('%')) return part;
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
