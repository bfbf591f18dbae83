import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { OTHER_ENVIRONMENTS } from '../../test/fixtures/environments.js';
import { StaticTokenVerifier } from './static-token.verifier.js';

const WARNING = 'StaticTokenVerifier is in use: 1 fixed tokens are accepted. NOT FOR PRODUCTION';

describe('StaticTokenVerifier', () => {
  const warnings: unknown[] = [];

  beforeEach(() => {
    warnings.length = 0;
    Logger.overrideLogger({
      log: () => undefined,
      error: () => undefined,
      warn: (message: unknown) => warnings.push(message),
    });
  });

  afterEach(() => {
    Logger.overrideLogger(false);
    vi.unstubAllEnvs();
  });

  verifies(['VER-05', 'F122', 'WAY-17'], 'starts in test and development, elsewhere only if told to', () => {
    for (const environment of ['development', 'test']) {
      vi.stubEnv('NODE_ENV', environment);
      expect(() => new StaticTokenVerifier({ a: {} })).not.toThrow();
      expect(warnings.splice(0)).toEqual([WARNING]);
    }
    for (const [environment, found] of OTHER_ENVIRONMENTS) {
      vi.stubEnv('NODE_ENV', environment);
      for (const options of [undefined, {}, { allowAnyEnvironment: false }]) {
        const start = (): unknown => new StaticTokenVerifier({ a: {} }, options);
        expect(start).toThrow(McpAuthConfigError);
        expect(start).toThrow(
          'StaticTokenVerifier: accepts tokens that never change, so it starts only with NODE_ENV "test" or ' +
            `"development", unless "allowAnyEnvironment" is true; NODE_ENV ${found}`,
        );
      }
      expect(warnings).toEqual([]);
      new StaticTokenVerifier({ a: {} }, { allowAnyEnvironment: true });
      expect(warnings.splice(0)).toEqual([WARNING]);
    }
  });

  verifies('F122', 'says what its tokens say, and nothing of others', () => {
    const claims = { sub: 'u1' };
    const verifier = new StaticTokenVerifier({ token: claims });
    expect(verifier.verify('token')).toEqual(claims);
    expect(verifier.verify('token')).not.toBe(claims);
    for (const other of ['', 'Token', 'token ', 'toString', '__proto__']) {
      expect(verifier.verify(other)).toBeNull();
    }
  });

  it('shows no token in its warning', () => {
    new StaticTokenVerifier({ 'secret-token': {} });
    expect(JSON.stringify(warnings)).not.toContain('secret-token');
  });
});
