import { type ServerResponse } from 'node:http';
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
    if (!header('content-type')?.startsWith('text/event-stream')) return;
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
  const target = /^event: ?endpoint\r?\ndata: ?(\S+)/.exec(text)?.[1];
  return target === undefined ? undefined : (queryOf(target).get(PARAMETER) ?? undefined);
}

/** The first value in the query of a request's target that is meant, whatever it is called there. @internal */
export function queryValue(
  { url = '', originalUrl = url }: TargetedRequest,
  isMeant: (value: string) => boolean,
): string | undefined {
  return [...queryOf(url).values(), ...queryOf(originalUrl).values()].find(isMeant);
}

/**
 * Puts a value in the place of another in the query of a request, wherever a platform tells it.
 *
 * @param request - the platform's request
 * @param node - the Node request in it
 * @internal
 */
export function replaceQueryValue(request: object, node: TargetedRequest, value: string, by: string): void {
  if (node.url !== undefined) node.url = replacedIn(node.url, value, by);
  if (node.originalUrl !== undefined) node.originalUrl = replacedIn(node.originalUrl, value, by);
  const { query } = request as { query?: unknown };
  if (typeof query === 'object' && query !== null) replaceMember(query as Record<string, unknown>, value, by);
}

function replacedIn(target: string, value: string, by: string): string {
  const query = [...queryOf(target)].map(([name, other]): [string, string] => [
    name,
    other === value ? by : other,
  ]);
  const [path = ''] = target.split('?', 1);
  return query.length > 0 ? `${path}?${new URLSearchParams(query).toString()}` : target;
}

/** A parsed query: on Express made anew whenever it is asked for, on Fastify once. */
function replaceMember(query: Record<string, unknown>, value: string, by: string): void {
  for (const [name, member] of Object.entries(query)) {
    if (member === value) query[name] = by;
    else if (typeof member === 'object' && member !== null)
      replaceMember(member as Record<string, unknown>, value, by);
  }
}

function queryOf(target: string): URLSearchParams {
  const at = target.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : target.slice(at + 1));
}
