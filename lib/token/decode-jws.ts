import { isUtf8 } from 'node:buffer';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { TokenClaims } from '../options/token.verifier.js';

/**
 * Matches canonical base64url: no padding, no characters of plain base64, and no bits beyond the last byte. Decoders accept
 * all three. Then one signature would have several spellings, and one token several strings.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7515#section-2 | RFC 7515 section 2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc4648#section-3.5 | RFC 4648 section 3.5}
 */
const BASE64URL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/**
 * Returns the claims of a token that is not verified yet. Until then, use them only to choose keys.
 *
 * @throws {@link TokenRejectedError} `malformed` if it is not a compact JWS with an object as payload and a base64url
 * signature
 * @internal
 */
export function decodeClaims(token: string): TokenClaims {
  const begin = token.indexOf('.') + 1;
  const end = token.indexOf('.', begin);
  const isCompact = begin > 0 && end !== -1 && !token.includes('.', end + 1);
  const isRight = isCompact && BASE64URL.test(token.slice(end + 1));
  const claims = isRight ? decodeObject(token.slice(begin, end)) : undefined;
  if (!claims) throw new TokenRejectedError('malformed');
  return claims;
}

/**
 * Returns the header of a token; undefined if it is not an object.
 *
 * @internal
 */
export function decodeHeader(token: string): Readonly<Record<string, unknown>> | undefined {
  const end = token.indexOf('.');
  return decodeObject(end === -1 ? token : token.slice(0, end));
}

/**
 * Returns a JSON object from base64url, or undefined for anything else. It throws no exception, because there may be
 * many bad requests.
 */
function decodeObject(part: string): Record<string, unknown> | undefined {
  if (!BASE64URL.test(part)) return undefined;
  const bytes = Buffer.from(part, 'base64url');
  if (!isUtf8(bytes)) return undefined;
  const text = bytes.toString();
  if (!/^[ \t\r\n]*\{/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
