import { describe, expect, it } from 'vitest';
import { DiscoveryError } from './discovery.error.js';
import { rejectionReason } from './rejection-reason.js';
import {
  AccessDeniedError,
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
  RequestOriginRejectedError,
  TenantRejectedError,
  type TokenRejection,
  TokenRejectedError,
} from './rejection.errors.js';

describe('rejectionReason', () => {
  it.each([
    [new TokenRejectedError('audience'), 'audience'],
    [new CredentialsRejectedError('missing_token'), 'missing_token'],
    [new RequestOriginRejectedError('host'), 'host'],
    [new TenantRejectedError('unknown_tenant'), 'unknown_tenant'],
    [new InsufficientScopeError(['a']), 'insufficient_scope'],
    [
      new InsufficientAuthenticationError({ acrValues: ['a'], maxAgeSeconds: undefined }),
      'insufficient_user_authentication',
    ],
    [new AccessDeniedError('policy'), 'policy'],
    [new AccessDeniedError('client'), 'client'],
    [new AuthorizationServerUnavailableError('https://as.example'), 'unavailable'],
    [new DiscoveryError('timeout', undefined, ''), 'fault'],
    [{ reason: 'audience' }, 'fault'],
    [undefined, 'fault'],
    [new TokenRejectedError('user-7' as TokenRejection), undefined],
    [new TokenRejectedError('toString' as TokenRejection), undefined],
  ])('says of %s: %s', (failure, reason) => {
    expect(rejectionReason(failure)).toBe(reason);
  });
});
