import { isUtf8 } from 'node:buffer';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { TokenClaims } from '../options/token.verifier.js';

/**
 * Base64url as an encoder writes it: no padding, no character of base64, and no bits beyond the last byte. Decoders take
 * all three, so that one signature would have several spellings, and one token several strings.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7515#section-2 | RFC 7515 section 2}
 * @see {@link https://www.rfc-editor.org/rfc/rfc4648#section-3.5 | RFC 4648 section 3.5}
 */
const BASE64URL = /^(?:[\w-]{4})*(?:[\w-][AQgw]|[\w-]{2}[AEIMQUYcgkosw048])?$/;

/**
 * What a token says, before anything is verified: good for the choice of keys and nothing else until then.
 *
 * @throws {@link TokenRejectedError} `malformed` when it is no compact JWS with an object for payload and base64url for
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
 * The header of a token; undefined when it is no object.
 *
 * @internal
 */
export function decodeHeader(token: string): Readonly<Record<string, unknown>> | undefined {
  const end = token.indexOf('.');
  return decodeObject(end === -1 ? token : token.slice(0, end));
}

/**
 * A JSON object in base64url. All that is anything else is told without an exception: bad requests
 * come in any number.
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
