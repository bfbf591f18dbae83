import { CredentialsRejectedError, TokenRejectedError } from '../errors/rejection.errors.js';

/** The parts of a request that may carry credentials. @internal */
export interface CredentialSources {
  /** Every Authorization header line, in order. */
  readonly authorization: readonly string[];
  /** The request target as received, for a token in its query. */
  readonly target: string;
}

/** How a token is presented: the scheme of the Authorization header. @internal */
export type TokenScheme = 'bearer' | 'dpop';

/** Whether the Authorization header has the scheme DPoP. @internal */
export function isOfDpop({ authorization }: CredentialSources): boolean {
  return SCHEMES.dpop.test(authorization[0] ?? '');
}

/**
 * Returns the access token from a request's Authorization header.
 *
 * A token in the query is never used. If the header has a token too, the request is ambiguous and rejected. The form of
 * the token is not checked: see {@link assertTokenForm}.
 *
 * @throws {@link CredentialsRejectedError} if no token has this scheme, or more than one credential
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-2.1 | RFC 6750 section 2.1}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 | RFC 9449 section 7.1}
 * @internal
 */
export function extractToken(
  { authorization, target }: CredentialSources,
  scheme: TokenScheme = 'bearer',
): string {
  const [header, ...others] = authorization;
  if (header === undefined) throw new CredentialsRejectedError('missing_token');
  if (others.length > 0 || joinsCredentials(header))
    throw new CredentialsRejectedError('multiple_credentials');
  const credentials = credentialsOf(header, scheme);
  if (hasQueryToken(target)) throw new CredentialsRejectedError('multiple_credentials');
  return credentials;
}

/**
 * Validates a token's length and characters.
 *
 * @throws {@link TokenRejectedError} `too_long` or `malformed`
 * @internal
 */
export function assertTokenForm(token: string, maxLength: number): void {
  if (token.length > maxLength) throw new TokenRejectedError('too_long');
  if (!/^[\w\-.~+/]+=*$/.test(token)) throw new TokenRejectedError('malformed');
}

const SCHEMES: Readonly<Record<TokenScheme, RegExp>> = { bearer: /^bearer(?: |$)/i, dpop: /^dpop(?: |$)/i };

/**
 * Returns the text after the scheme and one or more spaces, without the spaces and tabs that HTTP allows around a value.
 * Other white space is part of it. A regular expression for the end would take quadratic time.
 */
function credentialsOf(header: string, scheme: TokenScheme): string {
  if (!SCHEMES[scheme].test(header)) throw new CredentialsRejectedError('unsupported_scheme');
  let begin = scheme.length;
  while (header[begin] === ' ') begin += 1;
  let end = header.length;
  while (end > begin && (header[end - 1] === ' ' || header[end - 1] === '\t')) end -= 1;
  if (begin === end) throw new CredentialsRejectedError('missing_token');
  return header.slice(begin, end);
}

/** Whether a proxy may have joined two credentials into one line: a comma followed by another scheme. */
function joinsCredentials(header: string): boolean {
  return header.includes(',') && /,[ \t]*[\w!#$%&'*+.^`|~-]+ /.test(header);
}

/** Whether a request target has a token in its query. @internal */
export function hasQueryToken(target: string): boolean {
  const start = target.indexOf('?');
  return start !== -1 && new URLSearchParams(target.slice(start)).has('access_token');
}
