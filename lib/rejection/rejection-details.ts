import type { RejectionReason } from '../errors/rejection-reason.js';
import { escapeForLog } from '../events/escape-for-log.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import type { TokenClaims } from '../options/token.verifier.js';
import { assertRequiredClaims } from '../policy/required-claims.js';
import { foundHeader, foundLength } from './presented-token.js';

/** Most values of a list that are logged. A token may have more. */
const MAX_VALUES = 5;

/** Most names of claims that are logged. */
const MAX_NAMES = 20;

/** Claims that name times. */
const TIMES = ['exp', 'nbf', 'iat'] as const;

type Options = Pick<
  ResolvedProtectedResourceOptions,
  | 'audiences'
  | 'rejectMultipleAudiences'
  | 'authorizationServers'
  | 'authorizationServerResolver'
  | 'privateIssuers'
  | 'verifier'
  | 'allowedOrigins'
  | 'allowedHosts'
>;

/** What is known of a rejection. @internal */
export interface RejectionFacts {
  readonly reason: RejectionReason;
  readonly options: Options;
  /** Undefined if no verifier has verified them: then only what is expected is described. */
  readonly claims: TokenClaims | undefined;
  /** The scopes of the challenge, and those of the token. */
  readonly required: readonly string[];
  readonly granted: readonly string[];
  readonly nowSeconds: number;
  readonly toleranceSeconds: number;
  readonly maxTokenLength: number;
  /** See {@link escapeForLog}. */
  readonly secrets: readonly string[];
  readonly request: object | undefined;
}

/** What describes a rejection of each reason. Other reasons say it all. */
const DETAILS: Readonly<Partial<Record<RejectionReason, (facts: RejectionFacts) => string>>> = {
  audience: ({ options, claims, secrets }) => describeAudiences(options, claims, secrets),
  issuer: describeIssuers,
  malformed: ({ options }) => opaqueTokenAdvice(options),
  too_long: ({ request, maxTokenLength }) =>
    `; expected at most ${maxTokenLength} characters ("maxTokenLength")${foundLength(request)}`,
  algorithm: ({ options, request }) =>
    `; expected "alg" to be one of ${unique(options, ({ algorithms }) => algorithms)}${foundHeader('alg', request)}`,
  type: ({ options, request }) =>
    `; expected an access token by the profile ${unique(options, ({ profile }) => [profile])}` +
    foundHeader('typ', request),
  expired: (facts) => describeTime(facts, 'exp', 'expired'),
  not_yet_valid: describeBegin,
  too_old: (facts) => describeTime(facts, 'iat', 'was issued'),
  time_claims: describeTimeClaims,
  missing_claim: describeMissing,
  subject: ({ claims }) => `; expected "sub", or a claim that names the client${namesOf(claims)}`,
  not_an_access_token: ({ claims }) => `; expected no claims of other kinds of token${namesOf(claims)}`,
  sender_constrained: ({ claims }) =>
    `; expected a token without "cnf", or a proof that the resource verifies${namesOf(claims)}`,
  insufficient_scope: ({ required, granted, secrets }) =>
    `, asked for ${scopes(required, secrets)}, the token grants ${scopes(granted, secrets)}`,
  unsupported_scheme: () => '; expected "Authorization: Bearer TOKEN"',
  multiple_credentials: () => '; expected one token, in one Authorization header and nowhere else',
  origin: ({ options, secrets }) => `; allowed are ${quoted(options.allowedOrigins, secrets)}`,
  host: ({ options, secrets }) => `; allowed are ${quoted(options.allowedHosts ?? [], secrets)}`,
};

/**
 * Describes what was expected and what was found, for the debug log. Escaped, and limited in length and number.
 *
 * Of a token that a verifier has verified, it tells the values of `aud` and `iss`, the scopes, how far times are from now, and
 * the names of claims. Of any other token it tells its length, and `alg` and `typ` if they are values that standards define.
 *
 * @returns text that begins with a separator; empty if the reason says it all
 * @internal
 */
export function describeRejection(facts: RejectionFacts): string {
  return DETAILS[facts.reason]?.(facts) ?? '';
}

/** @param claims - undefined if no verifier has verified them @internal */
export function describeAudiences(
  { audiences, rejectMultipleAudiences }: Pick<Options, 'audiences' | 'rejectMultipleAudiences'>,
  claims: TokenClaims | undefined,
  secrets: readonly string[],
): string {
  const expected = `; expected ${quoted(audiences, secrets)}${rejectMultipleAudiences ? ' alone' : ''}`;
  if (!claims) return expected;
  const { aud } = claims;
  return `${expected}, the token has ${aud === undefined ? 'no "aud"' : quoted([aud].flat(), secrets)}`;
}

/** Returns advice for a token that is not a JWT. Empty if the resource introspects opaque tokens or has its own verifier. */
function opaqueTokenAdvice({ verifier, authorizationServers }: Options): string {
  const isAsked = authorizationServers.some(({ introspection }) => introspection !== undefined);
  return isAsked || verifier !== undefined
    ? ''
    : '; if the token is opaque, configure "introspection" for its authorization server';
}

function describeIssuers({ options, claims, secrets }: RejectionFacts): string {
  const configured = options.authorizationServers.map(({ issuer, metadataUrl, metadata }) =>
    [issuer, metadataUrl, metadata?.['issuer']].find((name) => name !== undefined),
  );
  const further = options.authorizationServerResolver
    ? ', or one that "authorizationServerResolver" knows'
    : '';
  const expected = `; expected ${quoted([...configured, ...options.privateIssuers], secrets)}${further}`;
  if (!claims) return `${expected}, the token is not verified and names another, or none`;
  return `${expected}, the token has ${quoted([claims['iss']], secrets)}`;
}

function describeTime(facts: RejectionFacts, name: 'exp' | 'iat', verb: string): string {
  const { claims, nowSeconds, toleranceSeconds } = facts;
  const time = claims?.[name];
  if (typeof time !== 'number') return '';
  return `; it ${verb} ${seconds(nowSeconds - time)} ago, tolerance ${seconds(toleranceSeconds)}`;
}

function describeBegin({ claims, nowSeconds, toleranceSeconds }: RejectionFacts): string {
  const begins = [claims?.['nbf'], claims?.['iat']].filter((time) => typeof time === 'number');
  if (begins.length === 0) return '';
  const wait = seconds(Math.max(...begins) - nowSeconds);
  return `; it is valid in ${wait}, tolerance ${seconds(toleranceSeconds)}`;
}

function describeTimeClaims({ claims }: RejectionFacts): string {
  if (!claims) return '';
  const found = TIMES.map((name) => `"${name}" ${kindOf(claims[name])}`);
  return `; expected numbers of seconds; ${found.join(', ')}`;
}

function describeMissing({ claims, options }: RejectionFacts): string {
  const wanted = options.authorizationServers.flatMap(({ requiredClaims }) => requiredClaims);
  const missing = [...new Set(wanted)].filter((name) => claims && !isThere(claims, name));
  const expected = missing.length > 0 ? `; expected ${quoted(missing, [])}` : '';
  return `${expected}${namesOf(claims)}`;
}

function isThere(claims: TokenClaims, name: string): boolean {
  try {
    assertRequiredClaims(claims, [name]);
    return true;
  } catch {
    return false;
  }
}

function kindOf(value: unknown): string {
  if (value === undefined) return 'is missing';
  return typeof value === 'number' ? 'is a number' : `is of type ${typeof value}`;
}

/** Names the claims of a verified token. */
function namesOf(claims: TokenClaims | undefined): string {
  if (!claims) return '';
  const names = Object.keys(claims);
  const shown = names.slice(0, MAX_NAMES).map((name) => quote(name, []));
  const more = names.length - shown.length;
  const list = [...shown, ...(more > 0 ? [`${String(more)} more`] : [])].join(', ');
  return `, the token has ${list === '' ? 'no claims' : list}`;
}

function scopes(names: readonly string[], secrets: readonly string[]): string {
  const shown = names.slice(0, MAX_NAMES).map((scope) => escapeForLog(scope, secrets));
  const more = names.length - shown.length;
  return [...shown, ...(more > 0 ? [`and ${String(more)} more`] : [])].join(' ') || 'none';
}

function unique(
  { authorizationServers }: Options,
  valuesOf: (server: Options['authorizationServers'][number]) => readonly string[],
): string {
  return [...new Set(authorizationServers.flatMap(valuesOf))].join(', ');
}

/** Whole seconds, rounded up: a token that expired 0.4 s ago did not expire "0 s ago". */
function seconds(count: number): string {
  return `${String(Math.ceil(count))} s`;
}

function quoted(values: readonly unknown[], secrets: readonly string[]): string {
  const shown = values.slice(0, MAX_VALUES).map((value) => quote(value, secrets));
  const more = values.length - shown.length;
  return [...shown, ...(more > 0 ? [`${String(more)} more`] : [])].join(', ') || 'an empty list';
}

function quote(value: unknown, secrets: readonly string[]): string {
  return typeof value === 'string'
    ? `"${escapeForLog(value.replace(/["\\]/g, '\\$&'), secrets)}"`
    : `a value of type ${typeof value}`;
}
