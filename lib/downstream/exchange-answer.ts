import {
  processGenericTokenEndpointResponse,
  ResponseBodyError,
  type TokenEndpointResponse,
} from 'oauth4webapi';
import { describeThrown } from '../events/escape-for-log.js';
import { answeredWrongly, ExchangeOutage, rejectedBy } from './exchange-failures.js';
import { type ExchangePreset, ISSUED_TOKEN_TYPE } from './exchange-presets.js';
import type { ExchangeAnswer } from './exchange-request.js';

/** What an answer is checked against. @internal */
export interface ExchangeExpectation {
  readonly issuer: string;
  readonly clientId: string;
  readonly preset: ExchangePreset;
  /** The token that was exchanged. */
  readonly subjectToken: string;
}

/** A token as the server describes it. @internal */
export interface ExchangedToken {
  readonly accessToken: string;
  /** Undefined if the server does not say it. */
  readonly expiresInSeconds: number | undefined;
  /** Undefined if the server says nothing: then it granted what was asked for. */
  readonly scopes: readonly string[] | undefined;
}

/** An error code: one word, or several. Stricter than RFC 6749 section 5.2, so that no token passes for a code. */
const ERROR_CODE = /^[a-z]{1,32}(_[a-z]{1,32}){0,4}$/;

/** Codes that say nothing of this request, by RFC 6749 section 4.1.2.1. */
const OUTAGES: readonly string[] = ['server_error', 'temporarily_unavailable'];

/** RFC 6750 section 2.1. */
const BEARER_TOKEN = /^[\w.~+/-]+=*$/;

/**
 * Reads the answer of a token endpoint. It must have an access token that anyone may present who has it (`Bearer`): a token that
 * is bound to a key needs a proof, which the caller of this package cannot make. It must not be the token that was sent.
 *
 * @throws {@link DownstreamTokenError} `rejected` or `invalid_answer`; {@link ExchangeOutage} for an error that will pass
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2.2.1 | RFC 8693 section 2.2.1}
 * @internal
 */
export async function readExchangeAnswer(
  answer: ExchangeAnswer,
  expected: ExchangeExpectation,
): Promise<ExchangedToken> {
  const { issuer, subjectToken } = expected;
  const json = await parse(answer, expected);
  assertTokenType(json, expected);
  const { access_token: accessToken, expires_in: expiresInSeconds, scope } = json;
  if (!BEARER_TOKEN.test(accessToken))
    throw answeredWrongly(issuer, 'with an access token that no header can have');
  if (accessToken === subjectToken) throw answeredWrongly(issuer, 'with the token that was sent');
  if (expiresInSeconds !== undefined && !(Number.isSafeInteger(expiresInSeconds) && expiresInSeconds > 0))
    throw answeredWrongly(issuer, 'with an "expires_in" that is no positive number of seconds');
  return { accessToken, expiresInSeconds, scopes: scope?.split(' ').filter((each) => each !== '') };
}

async function parse(
  { status, contentType, body }: ExchangeAnswer,
  { issuer, clientId, preset, subjectToken }: ExchangeExpectation,
): Promise<TokenEndpointResponse> {
  const response = new Response(body, { status, headers: { 'content-type': contentType } });
  try {
    return await processGenericTokenEndpointResponse({ issuer }, { client_id: clientId }, response);
  } catch (error) {
    if (!(error instanceof ResponseBodyError))
      // Messages of oauth4webapi name members of the answer, and none of its values.
      throw answeredWrongly(issuer, `wrongly (${describeThrown(error, [subjectToken])})`);
    const oauthError = errorCode(error, preset);
    if (oauthError !== undefined && OUTAGES.includes(oauthError)) throw new ExchangeOutage(oauthError);
    throw rejectedBy(issuer, oauthError);
  }
}

function errorCode({ error, cause }: ResponseBodyError, { suberrors }: ExchangePreset): string | undefined {
  const { suberror } = cause;
  if (typeof suberror === 'string' && suberrors.includes(suberror)) return suberror;
  return ERROR_CODE.test(error) ? error : undefined;
}

function assertTokenType(
  json: TokenEndpointResponse,
  { issuer, preset: { saysTokenType } }: ExchangeExpectation,
): void {
  const { token_type: type, issued_token_type: issued } = json;
  if (type !== 'bearer')
    throw answeredWrongly(issuer, 'with a token that is bound to a key; let it issue bearer tokens here');
  if (issued === undefined && !saysTokenType) return;
  if (issued !== ISSUED_TOKEN_TYPE)
    throw answeredWrongly(issuer, 'with an "issued_token_type" that is not an access token');
}
