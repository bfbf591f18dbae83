import type { Answer } from './test-authorization-server.interface.js';

/** Returns a response with a JSON document. @internal */
export function jsonAnswer(document: unknown, status = 200, headers: Answer['headers'] = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(document),
  };
}

/** An OAuth error. @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 | RFC 6749 section 5.2} @internal */
export function errorAnswer(
  status: number,
  error: string,
  description: string,
  headers?: Answer['headers'],
): Answer {
  return jsonAnswer({ error, error_description: description }, status, headers);
}
