import { hash } from 'node:crypto';
import {
  calculateJwkThumbprint,
  compactVerify,
  type CryptoKey,
  decodeProtectedHeader,
  EmbeddedJWK,
  errors,
  type JWK,
  type ProtectedHeaderParameters,
} from 'jose';
import { ProofRejectedError } from '../errors/rejection.errors.js';
import type { ProofKeys } from './proof-keys.js';
import { normalizedUrl } from './proof-url.js';

/**
 * Three parts of base64url; the last is empty without a signature. The decoder of jose also takes padding and white space, and an
 * unencoded payload, which no JWT has.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7797#section-7.1 | RFC 7797 section 7.1}
 */
const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]*$/;

/** The longest proof. One with an RSA key of 4096 bits has about 2,300 characters. */
const MAX_PROOF_LENGTH = 4096;

/** The longest `jti`: it is hashed, and a client needs no more for an unguessable value. */
const MAX_JTI_LENGTH = 256;

/** The longest modulus and exponent of an RSA key, 4096 and 32 bits in base64url: longer ones take long to verify. */
const MAX_MODULUS_LENGTH = 683;
const MAX_EXPONENT_LENGTH = 6;

/** The members that make a JWK private or symmetric. */
const SECRET_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];

/** What a proof must say. @internal */
export interface ProofExpectation {
  /** The thumbprint of the key that the token is bound to. */
  readonly jkt: string;
  readonly token: string;
  readonly method: string;
  /** The normalized URL of the request; undefined if it has none. */
  readonly url: string | undefined;
  readonly algorithms: readonly string[];
  readonly maxAgeSeconds: number;
  readonly nowSeconds: number;
}

/** A proof that was verified. @internal */
export interface DpopProof {
  readonly jti: string;
  /** Unit: seconds since the epoch. */
  readonly iat: number;
  /** Not checked. */
  readonly nonce: unknown;
}

/**
 * Verifies a DPoP proof: its form, its key, its signature, and that it was made for this request and this token, just now.
 * Neither its nonce nor whether it was used before is checked.
 *
 * @param proof - the value of the header, not checked
 * @param keys - keys of earlier proofs; that of this one is added
 * @throws {@link ProofRejectedError}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 | RFC 9449 section 4.3}
 * @internal
 */
export async function verifyDpopProof(
  proof: string,
  expected: ProofExpectation,
  keys: ProofKeys,
): Promise<DpopProof> {
  if (proof.length > MAX_PROOF_LENGTH || !COMPACT.test(proof))
    throw new ProofRejectedError('proof_malformed');
  const header = proof.slice(0, proof.indexOf('.'));
  const known = keys.find(expected.jkt, header);
  const alg = known ? known.alg : await checkedAlgorithm(proof, expected);
  if (!expected.algorithms.includes(alg)) throw new ProofRejectedError('proof_algorithm');
  const { payload, key } = await verified(proof, alg, known?.key);
  if (!known) keys.add(expected.jkt, { header, alg, key });
  return checkedClaims(payload, expected);
}

/** Checks the header of a proof, its key included. Returns its algorithm. */
async function checkedAlgorithm(proof: string, { algorithms, jkt }: ProofExpectation): Promise<string> {
  const { typ, alg, jwk } = headerOf(proof);
  if (typeof typ !== 'string' || typ.toLowerCase() !== 'dpop+jwt')
    throw new ProofRejectedError('proof_malformed');
  if (alg === undefined || !algorithms.includes(alg)) throw new ProofRejectedError('proof_algorithm');
  // Before the signature, so that only the holder of a bound token can have this server verify one.
  if (!isPublicKey(jwk) || (await thumbprintOf(jwk)) !== jkt) throw new ProofRejectedError('proof_key');
  return alg;
}

function headerOf(proof: string): ProtectedHeaderParameters {
  try {
    return decodeProtectedHeader(proof);
  } catch (error) {
    throw new ProofRejectedError('proof_malformed', undefined, { cause: error });
  }
}

function isPublicKey(jwk: unknown): jwk is JWK {
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) return false;
  const { kty, n = '', e = '' } = jwk as Readonly<Record<string, unknown>>;
  if (SECRET_MEMBERS.some((member) => member in jwk)) return false;
  if (kty !== 'RSA') return kty === 'EC' || kty === 'OKP';
  return String(n).length <= MAX_MODULUS_LENGTH && String(e).length <= MAX_EXPONENT_LENGTH;
}

async function thumbprintOf(jwk: JWK): Promise<string | undefined> {
  try {
    return await calculateJwkThumbprint(jwk);
  } catch {
    return undefined; // members are missing, or are no text
  }
}

/** Verifies the signature of a proof by a key, or by that of its header. */
async function verified(
  proof: string,
  alg: string,
  known: CryptoKey | undefined,
): Promise<{ payload: unknown; key: CryptoKey }> {
  const rules = { algorithms: [alg] };
  try {
    const { payload, key } = known
      ? { ...(await compactVerify(proof, known, rules)), key: known }
      : await compactVerify(proof, EmbeddedJWK, rules);
    const text = new TextDecoder('utf-8', { fatal: true }).decode(payload);
    return { payload: JSON.parse(text) as unknown, key };
  } catch (error) {
    throw new ProofRejectedError(reasonOf(error), undefined, { cause: error });
  }
}

function reasonOf(error: unknown): 'proof_signature' | 'proof_malformed' | 'proof_key' {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'proof_signature';
  return error instanceof errors.JWSInvalid ||
    error instanceof SyntaxError ||
    !(error instanceof errors.JOSEError)
    ? 'proof_malformed'
    : 'proof_key';
}

function checkedClaims(payload: unknown, expected: ProofExpectation): DpopProof {
  if (!isProof(payload)) throw new ProofRejectedError('proof_malformed');
  const { htm, htu, iat, jti, ath, nonce } = payload;
  const isOfRequest =
    htm === expected.method && expected.url !== undefined && normalizedUrl(htu) === expected.url;
  if (!isOfRequest) throw new ProofRejectedError('proof_request');
  // Written so that a clock that returns NaN accepts nothing.
  if (!(Math.abs(expected.nowSeconds - iat) <= expected.maxAgeSeconds))
    throw new ProofRejectedError('proof_time');
  if (ath !== hash('sha256', expected.token, 'base64url')) throw new ProofRejectedError('proof_token');
  return { jti, iat, nonce };
}

/** The claims that each proof has, and two that are checked in another way. */
interface ProofClaims {
  readonly htm: string;
  readonly htu: string;
  readonly iat: number;
  readonly jti: string;
  readonly ath?: unknown;
  readonly nonce?: unknown;
}

function isProof(payload: unknown): payload is ProofClaims {
  if (typeof payload !== 'object' || payload === null) return false;
  const { htm, htu, iat, jti } = payload as Readonly<Record<string, unknown>>;
  const isNamed = typeof jti === 'string' && jti !== '' && jti.length <= MAX_JTI_LENGTH;
  return isNamed && typeof htm === 'string' && typeof htu === 'string' && typeof iat === 'number';
}
