import { decodeHeader } from '../token/decode-jws.js';
import { type CredentialRequest, credentialSources } from '../token/credential-sources.js';
import { extractToken, isOfDpop, type TokenScheme } from '../token/extract-token.js';

/**
 * The values of header members that are logged. The header of a rejected token is not verified, so it may hold any text:
 * only what standards define is repeated.
 */
const KNOWN: Readonly<Record<'alg' | 'typ', readonly string[]>> = {
  alg: [
    ...['none', 'HS256', 'HS384', 'HS512', 'RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'],
    ...['ES256', 'ES384', 'ES512', 'ES256K', 'EdDSA', 'Ed25519'],
  ],
  typ: [
    ...['JWT', 'jwt', 'at+jwt', 'application/at+jwt', 'dpop+jwt', 'logout+jwt', 'secevent+jwt'],
    ...['token-introspection+jwt', 'oauth-authz-req+jwt', 'rt+jwt'],
  ],
};

/** Describes a member of the header of a token that is not verified. Empty if the token has no header. @internal */
export function foundHeader(name: 'alg' | 'typ', request: object | undefined): string {
  const header = decodeHeader(presentedToken(request) ?? '');
  if (!header) return '';
  const value = header[name];
  if (value === undefined) return `, the token has no "${name}"`;
  const known = KNOWN[name].find((each) => each === value);
  return `, the token has ${known === undefined ? 'a value that no standard defines' : `"${known}"`}`;
}

/** Describes the length of a token. @internal */
export function foundLength(request: object | undefined): string {
  const token = presentedToken(request);
  return token === undefined ? '' : `, the token has ${String(token.length)}`;
}

/** Returns the scheme by which a request presents one access token, valid or not; undefined if it presents none. @internal */
export function presentedScheme(request: object | undefined): TokenScheme | undefined {
  return presented(request)?.scheme;
}

/** Returns the one access token in the `Authorization` header of a request; undefined if there is none. @internal */
export function presentedToken(request: object | undefined): string | undefined {
  return presented(request)?.token;
}

function presented(request: object | undefined): { scheme: TokenScheme; token: string } | undefined {
  if (!request || !('headers' in request)) return undefined;
  const sources = credentialSources(request as CredentialRequest);
  const scheme = isOfDpop(sources) ? 'dpop' : 'bearer';
  try {
    return { scheme, token: extractToken(sources, scheme) };
  } catch {
    return undefined;
  }
}
