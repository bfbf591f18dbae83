import {
  allowInsecureRequests,
  type ClientAuth,
  clockSkew,
  customFetch,
  introspectionRequest,
} from 'oauth4webapi';
import { readText } from '../authorization-server/fetch-json.js';
import { IntrospectionFailure } from './introspection-failure.js';

/** Size limit of a response, in bytes. */
const MAX_ANSWER_BYTES = 65_536;

/** The endpoint of an introspection request, and its client. @internal */
export interface IntrospectionTarget {
  readonly issuer: string;
  /** https, or http on loopback. Validation of the options or the metadata has checked that. */
  readonly endpoint: string;
  readonly clientId: string;
  readonly authentication: ClientAuth;
  /** Whether a signed response is requested. */
  readonly wantsJwt: boolean;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  /** Ends the request. */
  readonly signal: AbortSignal;
}

/**
 * Introspects a token at an authorization server. Redirects are not followed, so that token and credentials go nowhere
 * else. The size of the response is limited while it streams.
 *
 * @returns the unchecked body of a response with status 200; undefined if the server responds that it does not introspect
 * this type of token, as some do with JWTs: it did not issue this one as an access token
 * @throws {@link IntrospectionFailure} for any other response, and the errors of `fetch`
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2.1 | RFC 7662 section 2.1}
 * @see {@link https://www.rfc-editor.org/rfc/rfc7009#section-2.2.1 | RFC 7009 section 2.2.1}
 * @internal
 */
export async function requestIntrospection(
  token: string,
  target: IntrospectionTarget,
): Promise<string | undefined> {
  const { issuer, endpoint, clientId, now } = target;
  const skewSeconds = Math.round((now().getTime() - Date.now()) / 1000);
  const response = await introspectionRequest(
    { issuer, introspection_endpoint: endpoint },
    { client_id: clientId, [clockSkew]: skewSeconds },
    target.authentication,
    token,
    {
      additionalParameters: { token_type_hint: 'access_token' },
      requestJwtResponse: target.wantsJwt,
      signal: target.signal,
      [customFetch]: (url, init) => target.fetch(url, { ...init, credentials: 'omit' }),
      // oauth4webapi has no exception for loopback. The address has been checked, so only loopback uses http here.
      [allowInsecureRequests]: true,
    },
  );
  if (response.status === 200) return readBody(response);
  if (response.status !== 400) await response.body?.cancel();
  else if (isUnsupportedTokenType(await readBody(response))) return undefined;
  throw new IntrospectionFailure(`answered ${String(response.status)}`, undefined, response.status);
}

/** Whether the body of an error response is JSON with the error code `unsupported_token_type`. */
function isUnsupportedTokenType(body: string): boolean {
  try {
    return (JSON.parse(body) as { error?: unknown } | null)?.error === 'unsupported_token_type';
  } catch {
    return false;
  }
}

async function readBody(response: Response): Promise<string> {
  const text = await readText(response, MAX_ANSWER_BYTES);
  if (text !== undefined) return text;
  throw new IntrospectionFailure(`answered with more than ${String(MAX_ANSWER_BYTES)} bytes`);
}
