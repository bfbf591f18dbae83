import type { JSONWebKeySet } from 'jose';
import { urlProblem } from '../../options/url-rules.js';
import type { Json } from '../context.js';
import { fetchDocument } from '../fetch-document.js';
import { type Finding, findingsOf, ok } from '../finding.js';
import type { HttpClient } from '../http.js';
import { docs, rfc } from '../links.js';
import { isObject } from '../messages.js';

const PROVIDERS = docs('providers.md#check-your-setup');

/** @internal */
export const KEY_SET_FINDINGS = {
  keys_not_announced: {
    severity: 'note',
    title: 'The metadata has no "jwks_uri": tokens cannot be verified by keys, only by introspection',
    cure: 'If the server issues JWTs, announce the keys, or give them by the option "jwks".',
    link: docs('guides/introspection.md'),
  },
  keys_unreachable: {
    severity: 'error',
    title: 'The keys of the authorization server cannot be fetched',
    expected: '200 with a JWK Set',
    cure: 'Check "jwks_uri", and that resource servers reach it.',
    link: rfc(8414, '2'),
  },
  keys_missing: {
    severity: 'error',
    title: 'The key set has no key that verifies signatures',
    expected: 'at least one public RSA, EC or OKP key that is not for encryption',
    cure: 'Configure a signing key at the server.',
    link: PROVIDERS,
  },
  keys_secret: {
    severity: 'error',
    title: 'The key set shows secrets: everybody can sign tokens',
    expected: 'public keys only',
    cure: 'Take the key out of the set, and replace it: it is known.',
    link: rfc(7518, '6.3.2'),
  },
  keys_weak: {
    severity: 'warning',
    title: 'An RSA key has less than 2048 bits; libraries reject its signatures',
    expected: 'at least 2048 bits',
    cure: 'Use a larger key.',
    link: rfc(7518, '3.3'),
  },
  keys_without_id: {
    severity: 'warning',
    title: 'The set has several keys without "kid": verifiers must try each',
    expected: 'a "kid" in each key, and in each token',
    cure: 'Give each key an ID.',
    link: rfc(7517, '4.5'),
  },
} as const;

const finding = findingsOf(KEY_SET_FINDINGS);

/** @internal */
export interface CheckedKeys {
  /** The keys that verify signatures; undefined if there are none. */
  readonly keys: JSONWebKeySet | undefined;
  readonly findings: readonly Finding[];
}

/** Fetches and judges the keys that a metadata document names. @internal */
export async function checkKeys(http: HttpClient, issuer: string, metadata: Json): Promise<CheckedKeys> {
  const url = metadata['jwks_uri'];
  if (url === undefined)
    return { keys: undefined, findings: [finding('keys_not_announced', { subject: issuer })] };
  // What is not a URL is a finding of the metadata.
  if (typeof url !== 'string' || urlProblem(url) !== undefined) return { keys: undefined, findings: [] };
  const fetched = await fetchDocument(http, url);
  const members = fetched.json?.['keys'];
  if (Array.isArray(members)) return judgeKeys(issuer, members);
  const found = fetched.json ? '200 with no list of "keys"' : fetched.found;
  return {
    keys: undefined,
    findings: [finding('keys_unreachable', { subject: issuer, found: `${url}: ${found}` })],
  };
}

/** @internal */
export function judgeKeys(issuer: string, members: readonly unknown[]): CheckedKeys {
  const all = members.filter(isObject);
  const usable = all.filter(isSigning);
  const secret = all.filter(
    (key) => key['kty'] === 'oct' || key['d'] !== undefined || key['k'] !== undefined,
  );
  const weak = usable.filter((key) => bitsOf(key) < 2048);
  const unnamed = usable.filter(({ kid }) => typeof kid !== 'string');
  const findings = [
    ...(secret.length > 0 ? [finding('keys_secret', { subject: issuer, found: describe(secret) })] : []),
    ...(usable.length === 0 ? [finding('keys_missing', { subject: issuer, found: describe(all) })] : []),
    ...(weak.length > 0
      ? [finding('keys_weak', { subject: issuer, found: `${String(bitsOf(weak[0]))} bits` })]
      : []),
    ...(usable.length > 1 && unnamed.length > 0 ? [finding('keys_without_id', { subject: issuer })] : []),
  ];
  if (usable.length === 0) return { keys: undefined, findings };
  const title = 'The keys are served';
  const details = { subject: issuer, found: describe(usable) };
  return {
    keys: { keys: usable },
    findings: [ok('keys', title, rfc(7517, '5'), details), ...findings],
  };
}

function isSigning({ kty, use, key_ops: operations }: Json): boolean {
  const isPublic = kty === 'RSA' || kty === 'EC' || kty === 'OKP';
  return (
    isPublic && (use ?? 'sig') === 'sig' && (!Array.isArray(operations) || operations.includes('verify'))
  );
}

/** The length of the modulus of an RSA key; infinite for other keys. */
function bitsOf({ kty, n }: Json = {}): number {
  return kty === 'RSA' && typeof n === 'string' ? Buffer.from(n, 'base64url').length * 8 : Infinity;
}

function describe(keys: readonly Json[]): string {
  const types = keys.map(({ kty, alg }) => (typeof alg === 'string' ? alg : String(kty)));
  return keys.length === 0 ? 'no keys' : `${String(keys.length)}: ${types.join(', ')}`;
}
