import {
  allowInsecureRequests,
  type ClientAuth,
  clockSkew,
  customFetch,
  introspectionRequest,
} from 'oauth4webapi';
import { readText } from '../authorization-server/fetch-json.js';
import { IntrospectionFailure } from './introspection-failure.js';

/** Size limit of an answer, in bytes. */
const MAX_ANSWER_BYTES = 65_536;

/** Whom to ask, and how. @internal */
export interface IntrospectionTarget {
  readonly issuer: string;
  /** https, or http on loopback: whoever configured or fetched it has checked that. */
  readonly endpoint: string;
  readonly clientId: string;
  readonly authentication: ClientAuth;
  /** Whether a signed answer is asked for. */
  readonly wantsJwt: boolean;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  /** Ends the request. */
  readonly signal: AbortSignal;
}

/**
 * Asks an authorization server about a token. Redirects are not followed, so that token and credentials go nowhere
 * else; the answer is bounded while it streams.
 *
 * @returns the body of an answer with status 200, not looked at; undefined where the server answers that it introspects
 * no tokens of this type, as some do with JWTs: it did not issue this one as an access token
 * @throws {@link IntrospectionFailure} for any other answer, and whatever `fetch` throws
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
      // It knows no exception for loopback. The address has been checked, so nothing else gets here by http.
      [allowInsecureRequests]: true,
    },
  );
  if (response.status === 200) return readBody(response);
  if (response.status !== 400) await response.body?.cancel();
  else if (isUnsupportedTokenType(await readBody(response))) return undefined;
  throw new IntrospectionFailure(`answered ${String(response.status)}`, undefined, response.status);
}

/** Whether the body of an error answer is JSON with the error code `unsupported_token_type`. */
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
