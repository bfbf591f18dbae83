import { parameterOf, parseChallenges } from '../challenge-grammar.js';
import type { Check } from '../context.js';
import { type Finding, findingsOf, ok } from '../finding.js';
import {
  describe,
  HEADERS_ONLY,
  type HttpAnswer,
  type HttpFailure,
  type HttpRequest,
  lines,
} from '../http.js';
import { docs, MCP_HTTP, rfc } from '../links.js';
import { initialize, LEGACY, message, MODERN } from '../messages.js';

/** What stands where a token is expected. It is not a secret: it may be logged. */
const MADE_UP = 'nestjs-mcp-auth-doctor-made-up';

/** @internal */
export const REQUEST_FINDINGS = {
  bad_token_accepted: {
    severity: 'error',
    title: 'A made-up token is accepted',
    expected: '401 invalid_token',
    cure: 'Verify signature, issuer, audience and expiry of each token.',
    link: docs('security/threat-model.md'),
  },
  bad_token_status: {
    severity: 'error',
    title: 'A made-up token is rejected with another status than 401; clients do not refresh theirs then',
    expected: '401 invalid_token',
    cure: 'Answer 401 with error="invalid_token". A verifier that throws is a fault of the server.',
    link: rfc(6750, '3.1'),
  },
  bad_token_error_missing: {
    severity: 'warning',
    title: 'The challenge to a made-up token does not say invalid_token',
    expected: 'error="invalid_token"',
    cure: 'Add the error.',
    link: rfc(6750, '3.1'),
  },
  query_token_read: {
    severity: 'error',
    title: 'A token in the query is read: URLs are logged and shared, and tokens with them',
    expected: 'the answer to a request without a token',
    cure: 'Read tokens from the Authorization header only.',
    link: rfc(9700, '4.3.2'),
  },
  method_open: {
    severity: 'error',
    title: 'A method is answered without a token',
    expected: '401 or 405',
    cure: 'Guard all methods of the endpoint.',
    link: docs('guides/mounting.md'),
  },
  method_fails: {
    severity: 'warning',
    title: 'A method without a token is answered with a failure of the server',
    expected: '401 or 405',
    cure: 'Answer 405 to methods that the endpoint does not have.',
    link: MCP_HTTP,
  },
  session_opens: {
    severity: 'error',
    title: 'A session ID stands for a token',
    expected: '401',
    cure: 'Authenticate each request. A session ID is not a credential.',
    link: docs('guides/sessions.md'),
  },
  session_before_token: {
    severity: 'warning',
    title:
      'An unknown session ID without a token is not rejected with 401: sessions can be guessed, and clients do not sign in',
    expected: '401',
    cure: 'Authenticate before sessions are looked up.',
    link: docs('guides/sessions.md'),
  },
  version_before_token: {
    severity: 'warning',
    title: 'A protocol version without a token is not rejected with 401; its clients do not sign in',
    expected: '401',
    cure: 'Authenticate before the version is checked.',
    link: docs('guides/mounting.md#early-authentication'),
  },
} as const;

const finding = findingsOf(REQUEST_FINDINGS);

const METHODS = ['GET', 'DELETE', 'PUT'] as const;

/** The last is no version: a server must not tell which it knows. */
const VERSIONS = ['2025-03-26', '2025-06-18', LEGACY, MODERN, '1999-01-01'] as const;

/** Requests that are to be rejected: bad tokens, other methods, sessions and versions. @internal */
export const requests: Check = {
  id: 'requests',
  title: 'Requests without a good token',
  async run({ url, http, facts }) {
    const send = (request: HttpRequest) => http.send({ ...request, until: HEADERS_ONLY });
    const bad = judgeBadToken(await send(initialize(url, { authorization: `Bearer ${MADE_UP}` })));
    // Otherwise requests without a token get something else than 401, which is said already.
    if (facts.first?.status !== 401) return [bad];
    const query = judgeQuery(await send(initialize(withQuery(url))), parameterOf(facts.challenge, 'error'));
    const methods = await Promise.all(
      METHODS.map(async (method) => judgeMethod(method, await send(plain(url, method)))),
    );
    const session = await send(message(url, LEGACY, 'tools/list', {}, { 'mcp-session-id': MADE_UP }));
    const versions = await Promise.all(
      VERSIONS.map(async (version) => judgeVersion(version, await send(message(url, version, 'tools/list')))),
    );
    return [
      bad,
      query,
      ...summed(methods, 'methods'),
      judgeSession(session),
      ...summed(versions, 'versions'),
    ];
  },
};

type Result = HttpAnswer | HttpFailure;

function plain(url: string, method: string): HttpRequest {
  return { method, url, headers: { accept: 'application/json, text/event-stream' } };
}

function withQuery(url: string): string {
  const withToken = new URL(url);
  withToken.searchParams.set('access_token', MADE_UP);
  return withToken.href;
}

/** Returns one finding that all is well, or those that say what is not. */
function summed(all: readonly (Finding | undefined)[], id: 'methods' | 'versions'): readonly Finding[] {
  const wrong = all.filter((each) => each !== undefined);
  if (wrong.length > 0) return wrong;
  const title =
    id === 'methods'
      ? 'GET, DELETE and PUT without a token are rejected'
      : 'Every protocol version gets 401 without a token';
  return [ok(id, title, MCP_HTTP)];
}

/** @internal */
export function judgeBadToken(result: Result): Finding {
  const found = describe(result);
  if (result.kind === 'answer' && result.status < 300) return finding('bad_token_accepted', { found });
  if (found !== '401') return finding('bad_token_status', { found });
  return errorOf(result) === 'invalid_token'
    ? ok('bad_token', 'A made-up token gets 401 invalid_token', rfc(6750, '3.1'))
    : finding('bad_token_error_missing', { found: errorOf(result) ?? 'no error' });
}

/** @param usual - the error of a challenge to a request without a token @internal */
export function judgeQuery(result: Result, usual?: string): Finding {
  const isOpen = result.kind === 'answer' && result.status < 300;
  const isRead = isOpen || (errorOf(result) === 'invalid_token' && usual !== 'invalid_token');
  if (isRead)
    return finding('query_token_read', { found: `${describe(result)} ${errorOf(result) ?? ''}`.trim() });
  return ok('query_token', 'A token in the query is not read', rfc(9700, '4.3.2'));
}

/** @internal */
export function judgeMethod(method: string, result: Result): Finding | undefined {
  const details = { subject: method, found: describe(result) };
  if (result.kind === 'failure' || result.status >= 500) return finding('method_fails', details);
  return result.status < 400 ? finding('method_open', details) : undefined;
}

/** @internal */
export function judgeSession(result: Result): Finding {
  const found = describe(result);
  if (found === '401') return ok('session', 'A session ID does not stand for a token', MCP_HTTP);
  const isOpen = result.kind === 'answer' && result.status < 300;
  return finding(isOpen ? 'session_opens' : 'session_before_token', { found });
}

/** @internal */
export function judgeVersion(version: string, result: Result): Finding | undefined {
  const found = describe(result);
  return found === '401' ? undefined : finding('version_before_token', { subject: version, found });
}

function errorOf(result: Result): string | undefined {
  if (result.kind === 'failure') return undefined;
  const challenges = lines(result, 'www-authenticate').map(parseChallenges);
  const all = challenges.flatMap((each) => ('problem' in each ? [] : each));
  return all.map((each) => parameterOf(each, 'error')).find((error) => error !== undefined);
}
