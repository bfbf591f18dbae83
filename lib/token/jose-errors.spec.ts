import { errors } from 'jose';
import { describe, expect, it } from 'vitest';
import { DiscoveryError } from '../errors/discovery.error.js';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import { toVerifierError } from './jose-errors.js';

const ISSUER = 'https://as.example';

describe('toVerifierError', () => {
  it.each([
    [new errors.JWSInvalid(), 'malformed'],
    [new errors.JWTInvalid(), 'malformed'],
    [new errors.JOSEAlgNotAllowed(), 'algorithm'],
    [new errors.JOSENotSupported(), 'algorithm'],
    [new errors.JWKSNoMatchingKey(), 'unknown_key'],
    [new errors.JWSSignatureVerificationFailed(), 'signature'],
    [new errors.JWKSInvalid(), 'unusable_key'],
    [new errors.JWKInvalid(), 'unusable_key'],
    [new TypeError('RS256 requires key modulusLength to be 2048 bits or larger'), 'unusable_key'],
    [new DOMException('Invalid key', 'DataError'), 'unusable_key'],
  ])('takes %s for a bad token: %s', (cause, reason) => {
    const error = toVerifierError(cause, ISSUER);
    expect(error).toBeInstanceOf(TokenRejectedError);
    expect(error).toMatchObject({ reason, cause });
  });

  it('takes keys that cannot be fetched for an outage', () => {
    const cause = new DiscoveryError('timeout', ISSUER, 'late');
    const error = toVerifierError(cause, ISSUER);
    expect(error).toBeInstanceOf(AuthorizationServerUnavailableError);
    expect(error).toMatchObject({ message: `Could not get the keys of ${ISSUER}`, cause });
  });

  it('gives an outage back as it is', () => {
    const error = new AuthorizationServerUnavailableError(ISSUER, 'metadata');
    expect(toVerifierError(error, ISSUER)).toBe(error);
  });

  it.each([new Error('ours'), new RangeError('ours'), 'a text', undefined])(
    'gives %s back as it is',
    (error) => {
      expect(toVerifierError(error, ISSUER)).toBe(error);
    },
  );
});
