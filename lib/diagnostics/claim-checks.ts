import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { VerifiedToken } from '../options/token.verifier.js';
import { confirmationOf, lacksBinding } from '../policy/confirmation.js';
import { assertTimely, type ValidationClock } from '../policy/time-claims.js';
import { tokenPrincipal } from '../policy/token-principal.js';
import { assertAccessToken, assertAudience, assertComplete, issuerOf } from '../policy/validate-claims.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { serverOf } from '../resource/server-of.js';
import { checked, issuersOf, list, notReached, show, unknown } from './token-checks.js';
import type { TokenCheck, TokenCheckName, TokenTimes } from './token-explanation.interface.js';

/** The checks of claims, in the order of `validateClaims`. */
export const CLAIM_CHECKS = [
  'audience',
  'time',
  'required_claims',
  'binding',
  'kind',
  'principal',
] as const satisfies readonly TokenCheckName[];

/** Claims, and what they are checked against. @internal */
export interface ClaimsInQuestion {
  readonly verified: VerifiedToken;
  readonly resource: ProtectedResource;
  readonly clock: ValidationClock;
}

/**
 * Runs each check of claims, also after one that failed, with the functions that `validateClaims` calls.
 *
 * @param claims - undefined if they are not known
 * @internal
 */
export function claimChecks(claims: ClaimsInQuestion | undefined): readonly TokenCheck[] {
  return CLAIM_CHECKS.map((name) => (claims ? CHECKS[name](claims, name) : notReached(name)));
}

/** Whether the issuer that a verifier of the application names is one of the resource's. @internal */
export function issuerCheck({ verified: { claims }, resource }: ClaimsInQuestion): TokenCheck {
  return checked('issuer', () => issuerOf(claims, resource), {
    expected: issuersOf(resource, resource.options.privateIssuers),
    found: show(claims['iss']),
  });
}

/** Returns the times of a token, seen from now. @internal */
export function timesOf({ verified: { claims }, clock: { nowSeconds } }: ClaimsInQuestion): TokenTimes {
  const { exp, nbf, iat } = claims;
  const until = (time: unknown): number | undefined =>
    typeof time === 'number' ? Math.round((time - nowSeconds) * 1000) / 1000 : undefined;
  const age = until(iat);
  return {
    expiresInSeconds: until(exp),
    validInSeconds: until(nbf),
    ageSeconds: age === undefined ? undefined : 0 - age,
  };
}

/** Describes what a token may be bound to, and must be. */
function bindingsOf({ options: { dpop, mutualTls } }: ProtectedResource): string {
  const members = [...(dpop ? ['jkt'] : []), ...(mutualTls ? ['x5t#S256'] : [])];
  const needed = [
    ...(dpop?.mode === 'required' ? ['jkt'] : []),
    ...(mutualTls?.required ? ['x5t#S256'] : []),
  ];
  if (needed.length > 0) return `a "cnf" with ${needed.join(' and ')}`;
  return members.length > 0 ? `no "cnf", or one with ${members.join(' or ')}` : 'no "cnf"';
}

type Check = (claims: ClaimsInQuestion, name: TokenCheckName) => TokenCheck;

const CHECKS: Readonly<Record<(typeof CLAIM_CHECKS)[number], Check>> = {
  audience: ({ verified, resource }, name) => {
    const { audiences, audienceMatch, rejectMultipleAudiences } = resource.options;
    const parents = audienceMatch === 'hierarchical' ? ', or a parent of it' : '';
    const alone = rejectMultipleAudiences ? ', alone' : '';
    const trusted = verified.audienceVerified ? ', or none' : '';
    return checked(
      name,
      () => {
        assertAudience(verified, resource);
      },
      {
        expected: `${list(audiences)}${parents}${alone}${trusted}`,
        found: show(verified.claims['aud']),
      },
    );
  },
  time: (claims, name) => {
    const { verified, clock } = claims;
    const { requiresExpiry, maxAgeSeconds } = verified;
    const needed = requiresExpiry ? 'exp' : 'exp, if any';
    const age = maxAgeSeconds === undefined ? '' : `, iat at most ${String(maxAgeSeconds)} s ago`;
    return checked(name, () => assertTimely(verified.claims, clock, verified), {
      expected: `${needed} in the future, nbf and iat in the past${age}; tolerance ${String(clock.toleranceSeconds)} s`,
      found: describeTimes(claims),
    });
  },
  required_claims: ({ verified, resource }, name) => {
    const { iss } = verified.claims;
    const issuer = typeof iss === 'string' ? iss : '';
    const ofServer = serverOf(resource, issuer)?.options.requiredClaims ?? [];
    return checked(
      name,
      () => {
        assertComplete(verified, resource, issuer);
      },
      {
        expected: list([...new Set([...verified.requiredClaims, ...ofServer])]),
        found: list(Object.keys(verified.claims)),
      },
    );
  },
  binding: ({ verified: { claims }, resource }, name) => {
    const texts = { expected: bindingsOf(resource), found: show(claims['cnf']) };
    const check = checked(
      name,
      () => {
        const confirmation = confirmationOf(claims, resource.options);
        if (lacksBinding(confirmation, resource.options)) throw new TokenRejectedError('not_bound');
      },
      texts,
    );
    if (claims['cnf'] === undefined || check.outcome !== 'passed') return check;
    return unknown(name, texts.expected, `${texts.found}; each request needs a proof of it`);
  },
  kind: ({ verified: { claims } }, name) =>
    checked(
      name,
      () => {
        assertAccessToken(claims);
      },
      {
        expected: 'an access token',
        found: `claims ${list(Object.keys(claims))}`,
      },
    ),
  principal: ({ verified: { claims, claimNames } }, name) =>
    checked(name, () => tokenPrincipal(claims, claimNames.clientId), {
      expected: `sub, or a client by ${list(claimNames.clientId)}`,
      found: `sub ${show(claims['sub'])}, client ${show(clientOf(claims, claimNames.clientId))}`,
    }),
};

function clientOf(claims: Readonly<Record<string, unknown>>, names: readonly string[]): unknown {
  return names.map((name) => claims[name]).find((value) => value !== undefined);
}

/** Describes each time by its difference from now. A value that is no number is shown as it is. */
function describeTimes({ verified: { claims }, clock: { nowSeconds } }: ClaimsInQuestion): string {
  const times = (['exp', 'nbf', 'iat'] as const).flatMap((name) => {
    const value = claims[name];
    if (value === undefined) return [];
    return [
      typeof value === 'number' ? `${name} ${difference(value - nowSeconds)}` : `${name} ${show(value)}`,
    ];
  });
  return list(times);
}

function difference(seconds: number): string {
  const whole = String(Math.round(Math.abs(seconds)));
  return seconds < 0 ? `${whole} s ago` : `in ${whole} s`;
}
