import { describe, expect, it } from 'vitest';
import { DiscoveryError } from './discovery.error.js';
import { refusalReason } from './refusal-reason.js';
import {
  AuthorizationServerUnavailableError,
  CredentialsRefusedError,
  InsufficientScopeError,
  RequestOriginRefusedError,
  type TokenRefusal,
  TokenRefusedError,
} from './refusal.errors.js';

describe('refusalReason', () => {
  it.each([
    [new TokenRefusedError('audience'), 'audience'],
    [new CredentialsRefusedError('missing_token'), 'missing_token'],
    [new RequestOriginRefusedError('host'), 'host'],
    [new InsufficientScopeError(['a']), 'insufficient_scope'],
    [new AuthorizationServerUnavailableError('https://as.example'), 'unavailable'],
    [new DiscoveryError('timeout', undefined, ''), 'fault'],
    [{ reason: 'audience' }, 'fault'],
    [undefined, 'fault'],
    [new TokenRefusedError('user-7' as TokenRefusal), undefined],
    [new TokenRefusedError('toString' as TokenRefusal), undefined],
  ])('says of %s: %s', (failure, reason) => {
    expect(refusalReason(failure)).toBe(reason);
  });
});
