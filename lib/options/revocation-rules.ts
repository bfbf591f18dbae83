import type { Revocation, RevokedPrincipal } from './revocation-list.js';

/**
 * Returns a copy of a revocation with nothing else in it.
 *
 * @throws TypeError for a value of another shape. A revocation without a token or a principal would cover every token of its issuer
 * @internal
 */
export function checkedRevocation(given: unknown): Revocation {
  const { issuer, jti, ...principal } = Object(given) as Record<string, unknown>;
  if (!isName(issuer)) throw new TypeError('A revocation needs an "issuer", a non-empty string');
  if (jti === undefined) return { issuer, ...checkedPrincipal(principal) };
  const isAlone = NAMES_OF_PRINCIPALS.every((name) => principal[name] === undefined);
  if (isName(jti) && isAlone) return { issuer, jti };
  throw new TypeError('A revocation of one token has an "issuer" and a "jti", and nothing else');
}

const NAMES_OF_PRINCIPALS = ['subject', 'clientId', 'issuedBefore'];

function checkedPrincipal({
  subject,
  clientId,
  issuedBefore,
}: Record<string, unknown>): Omit<RevokedPrincipal, 'issuer'> {
  const names = [subject, clientId];
  if (!names.some(isName) || !names.every(isNameOrNone))
    throw new TypeError('A revocation needs a "jti", a "subject" or a "clientId", a non-empty string');
  if (issuedBefore !== undefined && !Number.isFinite(issuedBefore))
    throw new TypeError('The "issuedBefore" of a revocation must be in seconds since the epoch');
  return {
    ...(isName(subject) && { subject }),
    ...(isName(clientId) && { clientId }),
    ...(issuedBefore !== undefined && { issuedBefore: issuedBefore as number }),
  };
}

/**
 * Returns the end of a revocation in milliseconds since the epoch.
 *
 * @throws TypeError for an invalid date
 * @internal
 */
export function endOf(until: Date): number {
  const endsAt = until.getTime();
  if (Number.isNaN(endsAt)) throw new TypeError('The end of a revocation must be a valid date');
  return endsAt;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isNameOrNone(value: unknown): boolean {
  return value === undefined || isName(value);
}
