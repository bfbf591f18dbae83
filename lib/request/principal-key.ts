import type { AuthInfo } from './auth-info.decorator.js';

/**
 * Returns one string for a caller, as a key of rate limits, quotas and audit records. A subject has a meaning only together
 * with its issuer, and another client of the same subject is another caller.
 *
 * Two callers never have the same key, whatever their names contain. The key contains personal data: it is an encoding, not a
 * hash.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.15 | RFC 9700 section 4.15}
 * @publicApi
 */
export function principalKey({
  issuer,
  subject,
  clientId,
}: Pick<AuthInfo, 'issuer' | 'subject' | 'clientId'>): string {
  return JSON.stringify([issuer, subject ?? null, clientId]);
}

/**
 * Returns one string for a person with all clients, or for a client without a subject, as the key of a share of something.
 *
 * @internal
 */
export function personKey(auth: Pick<AuthInfo, 'issuer' | 'subject' | 'clientId'>): string {
  const { issuer, subject } = auth;
  return subject === undefined ? principalKey(auth) : JSON.stringify([issuer, subject]);
}
