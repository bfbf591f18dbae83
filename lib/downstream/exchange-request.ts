import {
  allowInsecureRequests,
  type ClientAuth,
  clockSkew,
  customFetch,
  genericTokenEndpointRequest,
} from 'oauth4webapi';
import { readText } from '../authorization-server/fetch-json.js';
import type { CheckedTarget } from './downstream-target.js';
import { answeredWrongly, ExchangeOutage } from './exchange-failures.js';
import type { ExchangePreset } from './exchange-presets.js';

/** Size limit of an answer, in bytes. */
const MAX_ANSWER_BYTES = 65_536;

/** Statuses that say nothing of this request: it may be repeated later. */
const LATER: readonly number[] = [408, 425, 429];

/** The token endpoint of a request, and its client. @internal */
export interface ExchangeTarget {
  readonly issuer: string;
  /** https, or http on loopback. Validation of the metadata has checked that. */
  readonly endpoint: string;
  readonly clientId: string;
  readonly authentication: ClientAuth;
  readonly preset: ExchangePreset;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
  /** Ends the request. */
  readonly signal: AbortSignal;
}

/** An answer with status 200, or 400 to 499. @internal */
export interface ExchangeAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/**
 * Sends a caller's token to the token endpoint of its authorization server. Redirects are not followed, so that token and
 * credentials go nowhere else. The size of the answer is limited while it streams.
 *
 * @returns the unchecked answer
 * @throws {@link ExchangeOutage} if the server cannot answer now; {@link DownstreamTokenError} `invalid_answer` for an answer
 * that no token endpoint gives; the errors of `fetch`
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2.1 | RFC 8693 section 2.1}
 * @internal
 */
export async function requestExchange(
  token: string,
  target: CheckedTarget,
  { issuer, endpoint, clientId, authentication, preset, fetch, now, signal }: ExchangeTarget,
): Promise<ExchangeAnswer> {
  const skewSeconds = Math.round((now().getTime() - Date.now()) / 1000);
  const response = await genericTokenEndpointRequest(
    { issuer, token_endpoint: endpoint },
    { client_id: clientId, [clockSkew]: skewSeconds },
    authentication,
    preset.grantType,
    parametersOf(token, target, preset),
    {
      signal,
      [customFetch]: (url, init) => fetch(url, { ...init, credentials: 'omit' }),
      // oauth4webapi has no exception for loopback. The address has been checked, so only loopback uses http here.
      [allowInsecureRequests]: true,
    },
  );
  return readAnswer(response, issuer);
}

function isOfThisRequest(status: number): boolean {
  return status === 200 || (status >= 400 && status < 500 && !LATER.includes(status));
}

async function readAnswer(response: Response, issuer: string): Promise<ExchangeAnswer> {
  const { status, headers } = response;
  if (isOfThisRequest(status)) {
    const body = await readText(response, MAX_ANSWER_BYTES);
    if (body === undefined) throw answeredWrongly(issuer, `with more than ${String(MAX_ANSWER_BYTES)} bytes`);
    return { status, contentType: headers.get('content-type') ?? '', body };
  }
  await response.body?.cancel();
  if (status >= 400) throw new ExchangeOutage(`answered ${String(status)}`);
  const isRedirect = status === 0 || status >= 300;
  const how = isRedirect ? 'with a redirect, which is not followed' : `with status ${String(status)}`;
  throw answeredWrongly(issuer, how);
}

function parametersOf(
  token: string,
  { resource, audience, scopes }: CheckedTarget,
  { tokenParameter, parameters }: ExchangePreset,
): Record<string, string> {
  return {
    ...parameters,
    [tokenParameter]: token,
    ...(resource !== undefined && { resource }),
    ...(audience !== undefined && { audience }),
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
  };
}
