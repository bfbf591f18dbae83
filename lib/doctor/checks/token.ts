import { compactVerify, createLocalJWKSet, decodeJwt, decodeProtectedHeader } from 'jose';
import { SIGNATURE_ALGORITHMS } from '../../options/algorithms.js';
import { canonicalResource } from '../../options/url-rules.js';
import type { Check, DoctorContext, Json } from '../context.js';
import { type Finding, findingsOf, ok } from '../finding.js';
import { rfc } from '../links.js';
import { textsOf } from '../messages.js';
import { TOKEN_FINDINGS } from './token.findings.js';

const finding = findingsOf(TOKEN_FINDINGS);

/** What the documents say that a token must be. @internal */
export interface TokenExpectation {
  readonly resource: string;
  readonly issuers: readonly string[];
  readonly scopes: readonly string[];
  /** Unit: seconds since the epoch. */
  readonly now: number;
}

/** The given token, decoded on this machine and compared with what the documents say. @internal */
export const token: Check = {
  id: 'token',
  title: 'Token',
  isNeeded: (context) => context.token !== undefined,
  async run(context) {
    if (context.token === undefined) return [];
    const findings = judgeToken(context.token, expectationOf(context));
    return [...findings, ...(await judgeSignature(context.token, context))];
  },
};

function expectationOf({ url, facts, now }: DoctorContext): TokenExpectation {
  const { resource } = facts.document ?? {};
  return {
    resource: typeof resource === 'string' ? resource : url,
    issuers: textsOf(facts.document?.['authorization_servers']),
    scopes: textsOf(facts.document?.['scopes_supported']),
    now: Math.floor(now() / 1000),
  };
}

/** Judges a token by what it says. Signatures are not verified. @internal */
export function judgeToken(jwt: string, expected: TokenExpectation): readonly Finding[] {
  const parts = jwt.split('.').length;
  if (parts === 5) return [finding('token_encrypted')];
  if (parts !== 3) return [finding('token_opaque')];
  const decoded = decode(jwt);
  if (!decoded) return [finding('token_malformed')];
  const { header, claims } = decoded;
  return [
    ...judgeHeader(header),
    judgeIssuer(claims, expected),
    judgeAudience(claims, expected),
    ...judgeTimes(claims, expected.now),
    judgeScopes(claims, expected),
    ...judgeKind(claims),
  ];
}

function decode(jwt: string): { header: Json; claims: Json } | undefined {
  try {
    return { header: decodeProtectedHeader(jwt), claims: decodeJwt(jwt) };
  } catch {
    return undefined;
  }
}

function judgeHeader({ alg, typ }: Json): readonly Finding[] {
  const isAsymmetric = typeof alg === 'string' && SIGNATURE_ALGORITHMS.includes(alg);
  const type = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined;
  const isAccessToken = typ === undefined || type === 'at+jwt' || type === 'jwt';
  return [
    isAsymmetric
      ? ok('token_algorithm', 'alg: asymmetric', rfc(8725, '3.1'), { found: alg })
      : finding('token_algorithm', { found: shown(alg) }),
    isAccessToken
      ? ok('token_type', 'typ: an access token', rfc(8725, '3.12'), { found: shown(typ) })
      : finding('token_type', { found: shown(typ) }),
  ];
}

function judgeIssuer({ iss }: Json, { issuers }: TokenExpectation): Finding {
  if (typeof iss === 'string' && issuers.includes(iss)) {
    return ok('token_issuer', 'iss: an authorization server of the resource', rfc(9068, '4'), { found: iss });
  }
  return finding('token_issuer', { expected: issuers.join(' or '), found: shown(iss) });
}

function judgeAudience({ aud }: Json, { resource }: TokenExpectation): Finding {
  const audiences = typeof aud === 'string' ? [aud] : textsOf(aud);
  if (audiences.some((each) => canonicalResource(each) === canonicalResource(resource))) {
    return ok('token_audience', 'aud: the resource', rfc(9068, '4'), { found: shown(aud) });
  }
  return finding('token_audience', { expected: resource, found: shown(aud) });
}

function judgeTimes({ exp, nbf }: Json, now: number): readonly Finding[] {
  const starts = typeof nbf === 'number' && nbf > now;
  return [
    judgeExpiry(exp, now),
    ...(starts ? [finding('token_not_yet_valid', { found: `valid in ${seconds(nbf - now)}` })] : []),
  ];
}

function judgeExpiry(exp: unknown, now: number): Finding {
  if (typeof exp !== 'number') return finding('token_without_expiry', { found: shown(exp) });
  if (exp <= now) return finding('token_expired', { found: `${seconds(now - exp)} ago` });
  return ok('token_expired', 'exp: not expired', rfc(7519, '4.1.4'), { found: `in ${seconds(exp - now)}` });
}

/** Returns the scopes of claims as the module reads them: of `scope`, else `scp`, else `scopes`. @internal */
export function scopesOf(claims: Json): readonly string[] {
  const value = claims['scope'] ?? claims['scp'] ?? claims['scopes'];
  return typeof value === 'string' ? value.split(' ').filter((each) => each !== '') : textsOf(value);
}

function judgeScopes(claims: Json, { scopes }: TokenExpectation): Finding {
  const granted = scopesOf(claims);
  const missing = scopes.filter((scope) => !granted.includes(scope));
  const found = granted.length > 0 ? granted.join(' ') : 'none';
  return missing.length > 0
    ? finding('token_scopes', { expected: scopes.join(' '), found })
    : ok('token_scopes', 'scope: all that the resource lists', rfc(6749, '3.3'), { found });
}

function judgeKind(claims: Json): readonly Finding[] {
  const names = ['nonce', 'at_hash', 'c_hash'].filter((name) => claims[name] !== undefined);
  return [
    ...(names.length > 0 ? [finding('token_is_id_token', { found: names.join(', ') })] : []),
    ...(claims['cnf'] === undefined ? [] : [finding('token_bound', { found: shown(claims['cnf']) })]),
  ];
}

/** Verifies the signature with the keys of the issuer, on this machine. */
async function judgeSignature(jwt: string, { facts }: DoctorContext): Promise<readonly Finding[]> {
  const claims = jwt.split('.').length === 3 ? decode(jwt)?.claims : undefined;
  const keys = facts.servers.find(({ issuer }) => issuer === claims?.['iss'])?.keys;
  if (!keys) return [];
  try {
    await compactVerify(jwt, createLocalJWKSet(keys), { algorithms: [...SIGNATURE_ALGORITHMS] });
    return [ok('token_signature', 'The signature is by a key of the issuer', rfc(7515, '5.2'))];
  } catch (error) {
    return [finding('token_signature', { found: error instanceof Error ? error.message : undefined })];
  }
}

function shown(value: unknown): string {
  if (value === undefined) return 'none';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function seconds(count: number): string {
  return `${String(Math.round(count))} s`;
}
