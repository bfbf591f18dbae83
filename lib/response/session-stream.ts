import type { ServerResponse } from 'node:http';
import { bytesOf, isEventStream } from '../platform/response-arguments.js';
import { eventFields, EventRewriter } from './event-stream.js';
import { beforeHead, beforeWrites } from './intercept-response.js';
import { targetText } from './target-values.js';

/** Longer events are not looked at: this one says a URL. */
const MAX_EVENT_BYTES = 65_536;

/** As many characters as 64 bits take in hexadecimal. What is as long may be an id, whatever its name. */
const ID_LENGTH = 16;

/** One value of the URL that a stream announces. */
export interface AnnouncedValue {
  /** Of its query parameter; empty for a segment of the path. */
  readonly name: string;
  /** As {@link targetText} reads it. */
  readonly value: string;
}

/**
 * Tells by which values the session of a stream of the transport of MCP 2024-11-05 is told from others: its event `endpoint`
 * says where messages are to be posted.
 *
 * @param announced - called once, before the event is sent as a whole
 * @see {@link https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse | MCP 2024-11-05, HTTP with SSE}
 * @internal
 */
export function onAnnouncedSession(
  response: ServerResponse,
  announced: (values: readonly AnnouncedValue[]) => void,
): void {
  beforeHead(response, ({ header }) => {
    if (!isEventStream(header('content-type'))) return;
    let isAnnounced = false;
    const events = new EventRewriter({
      maxBytes: MAX_EVENT_BYTES,
      tooLong: undefined,
      rewrite: (event) => {
        const { name, data } = eventFields(event);
        if (isAnnounced || name.trim() !== 'endpoint' || data === undefined) return event;
        isAnnounced = true;
        announced(idsIn(data.replace(/[\t\r\n]/g, '').trim())); // as a URL is read
        return event;
      },
    });
    beforeWrites(response, (given) => {
      const chunk = isAnnounced ? undefined : bytesOf(given);
      if (chunk) events.take(chunk);
    });
  });
}

/**
 * The values of a URL that may be a session id: parameters that are long enough and whose name says so, as the SDKs write it;
 * if there are none, those that are long enough or whose name says so; else all of the query and the last segment of the path.
 * What is no id, such as a long segment of the path, may stand in any request.
 */
function idsIn(url: string): readonly AnnouncedValue[] {
  const [target = ''] = url.split('#'); // clients send no fragment back
  const at = target.indexOf('?');
  const query = at < 0 ? [] : pairsOf(target.slice(at + 1));
  const sure = query.filter(({ name, value }) => value.length >= ID_LENGTH && /session/i.test(name));
  if (sure.length > 0) return sure;
  const path = (at < 0 ? target : target.slice(0, at)).split(/[/;=]/).map((value) => named('', value));
  const likely = [...query, ...path].filter(
    ({ name, value }) => value.length >= ID_LENGTH || (value !== '' && /session|id$/i.test(name)),
  );
  return likely.length > 0 ? likely : [...query, ...path.slice(-1)];
}

/** A parameter without a value is one by itself. */
function pairsOf(query: string): AnnouncedValue[] {
  return query.split(/[&;]/).map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? named('', pair) : named(pair.slice(0, at), pair.slice(at + 1));
  });
}

function named(name: string, value: string): AnnouncedValue {
  return { name: targetText(name), value: targetText(value) };
}
