import { constants, createHmac, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { TestKey, TestKeyRing } from './test-keys.js';

/** The claims of a test token. @publicApi */
export interface TestClaimsOptions {
  /** @defaultValue 'user-1' */
  readonly sub?: string;
  /** The `scope` claim, joined by spaces. @defaultValue no `scope` claim */
  readonly scopes?: readonly string[];
  /** The `aud` claim: the resource identifier of the server under test. @defaultValue no `aud` claim */
  readonly audience?: string | readonly string[];
  /** @defaultValue 'client-1' */
  readonly clientId?: string;
  /** Lifetime after `issuedAt`. Unit: seconds. Zero or less makes an expired token. @defaultValue 300 */
  readonly expiresInSeconds?: number;
  /** @defaultValue the server's clock */
  readonly issuedAt?: Date;
  /** Further claims, or other values of those above. Explicit `undefined` removes a claim. */
  readonly claims?: Readonly<Record<string, unknown>>;
}

/** The claims of a test token, and how it is signed. @publicApi */
export interface TestTokenOptions extends TestClaimsOptions {
  /**
   * The JWS algorithm: an asymmetric one. To test attacks: `none`, or `HS256`, `HS384` or `HS512` with `key`.
   *
   * @defaultValue that of `key`, else that of the server's first key, which is RS256 unless you gave keys
   */
  readonly alg?: string;
  /** @defaultValue 'at+jwt' */
  readonly typ?: string;
  /** The key id that the header names. @defaultValue that of the key that signs */
  readonly kid?: string;
  /**
   * Further header parameters, or other values of `alg`, `typ` and `kid`. The header may name another algorithm than
   * the one that signs. Explicit `undefined` removes a parameter.
   */
  readonly header?: Readonly<Record<string, unknown>>;
  /**
   * The key that signs in place of the server's own key. It may be unpublished. Bytes are a secret for `HS256`,
   * `HS384` or `HS512`. Set `alg` too, unless the key is a {@link TestKey}.
   */
  readonly key?: TestKey | KeyObject | Uint8Array;
}

/** The claims of an access token. @see {@link https://www.rfc-editor.org/rfc/rfc9068#section-2.2 | RFC 9068 section 2.2} @internal */
export function testClaims(issuer: string, now: Date, options: TestClaimsOptions): Record<string, unknown> {
  const { issuedAt = now, expiresInSeconds = 300 } = options;
  const iat = Math.floor(issuedAt.getTime() / 1000);
  return {
    iss: issuer,
    sub: options.sub ?? 'user-1',
    client_id: options.clientId ?? 'client-1',
    aud: options.audience,
    scope: options.scopes?.join(' '),
    iat,
    exp: iat + expiresInSeconds,
    jti: randomUUID(),
    ...options.claims,
  };
}

/**
 * Signs claims as a compact JWS. It does not use jose, which rightly rejects what a hostile server would sign: a
 * header with a false algorithm, a weak key, claims of the wrong type.
 *
 * @throws Error if there is no key for the algorithm
 * @see {@link https://www.rfc-editor.org/rfc/rfc7515#section-7.1 | RFC 7515 section 7.1}
 * @internal
 */
export async function signClaims(
  claims: object,
  keys: TestKeyRing,
  options: TestTokenOptions,
): Promise<string> {
  const { alg, kid, key } = await signer(keys, options);
  const header = { alg, typ: options.typ ?? 'at+jwt', kid: options.kid ?? kid, ...options.header };
  const input = `${encode(header)}.${encode(claims)}`;
  return `${input}.${signature(alg, Buffer.from(input), key).toString('base64url')}`;
}

interface Signer {
  readonly alg: string;
  readonly kid?: string;
  readonly key?: KeyObject | Uint8Array;
}

/** Returns the key that signs: the given one, or the server's own. */
async function signer(keys: TestKeyRing, { alg, key }: TestTokenOptions): Promise<Signer> {
  if (alg === 'none') return { alg };
  const used = key ?? (await keys.signingKey(alg ?? keys.defaultAlg));
  if (!('publicJwk' in used)) return { alg: alg ?? keys.defaultAlg, key: used };
  return { alg: alg ?? used.alg, kid: used.kid, key: used.privateKey };
}

function signature(alg: string, input: Buffer, key: Signer['key']): Buffer {
  if (key === undefined) return Buffer.alloc(0);
  const hash = `sha${alg.slice(2)}`;
  if (key instanceof Uint8Array) return createHmac(hash, key).update(input).digest();
  switch (alg.slice(0, 2)) {
    case 'Ed':
      return sign(null, input, key);
    case 'PS':
      return sign(hash, input, {
        key,
        padding: constants.RSA_PKCS1_PSS_PADDING,
        saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
      });
    default:
      // Only ECDSA uses the encoding: JWS concatenates the two numbers, RFC 7518 section 3.4.
      return sign(hash, input, { key, dsaEncoding: 'ieee-p1363' });
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
