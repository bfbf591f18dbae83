import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { assertAccessTokenHeader } from './jwt-header-rules.js';

const check =
  (header: Record<string, unknown>, profile: 'lenient' | 'rfc9068' = 'lenient') =>
  (): void => {
    assertAccessTokenHeader({ alg: 'RS256', ...header }, profile);
  };

describe('assertAccessTokenHeader', () => {
  it.each([undefined, 'at+jwt', 'AT+JWT', 'application/at+jwt', 'JWT', 'jwt', 'application/jwt'])(
    'takes the type %j',
    (typ) => {
      expect(check({ typ })).not.toThrow();
    },
  );

  verifies(['JWT-07', 'F54'], 'takes no other type than at+jwt where the profile is wanted', () => {
    for (const typ of ['at+jwt', 'AT+JWT', 'At+Jwt', 'application/at+jwt', 'Application/AT+JWT']) {
      expect(check({ typ }, 'rfc9068')).not.toThrow();
    }
    for (const typ of [undefined, null, '', 'JWT', 'jwt', 'application/jwt', 'at+jwt ', 'application/JWT']) {
      expect(check({ typ }, 'rfc9068')).toThrow('Access token rejected: type');
    }
    expect(check({}, 'rfc9068')).toThrow('Access token rejected: type');
    expect(check({ typ: 'at+jwt', cty: 'JWT' }, 'rfc9068')).toThrow('Access token rejected: type');
    expect(check({ typ: 'at+jwt', b64: false }, 'rfc9068')).toThrow('Access token rejected: malformed');
  });

  verifies(['JWT-07', 'F54'], 'rejects the type of any other kind of token', () => {
    for (const typ of [
      ...[
        'dpop+jwt',
        'logout+jwt',
        'secevent+jwt',
        'oauth-authz-req+jwt',
        'oauth-id-jag+jwt',
        'JWE',
        'at+jwts',
        ' at+jwt',
        '',
      ],
      ...[
        'token-introspection+jwt',
        'client-authentication+jwt',
        'entity-statement+jwt',
        'at+sd-jwt',
        'text/at+jwt',
      ],
      ...[null, 7, true, ['at+jwt'], { typ: 'JWT' }, '__proto__', 'at\u212Ajwt'],
    ]) {
      expect(check({ typ })).toThrow('Access token rejected: type');
      expect(check({ typ }, 'rfc9068')).toThrow('Access token rejected: type');
    }
  });

  it.each(['JWT', 'json', '', null])('rejects the content type %j: the payload is not claims', (cty) => {
    expect(check({ typ: 'at+jwt', cty })).toThrow('Access token rejected: type');
  });
});
