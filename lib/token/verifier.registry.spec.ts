import { Injectable, Scope, type Type } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { resolveOptions } from '../options/resolve-options.js';
import {
  TokenVerifier,
  type VerificationContext,
  type VerificationResult,
} from '../options/token.verifier.js';
import { firstOf } from './first-of.js';
import { VerifierRegistry } from './verifier.registry.js';

const R1 = 'https://api.example.com/notes';
const R2 = 'https://api.example.com/admin';

@Injectable()
class StandardVerifier extends TokenVerifier {
  verify(): VerificationResult {
    return { from: 'standard' };
  }
}

@Injectable()
class OwnVerifier extends TokenVerifier {
  verify(token: string): VerificationResult {
    return { from: `own ${token}` };
  }
}

/** What classes are where the language has none. */
function OldVerifier(): void {
  return undefined;
}
OldVerifier.prototype.verify = () => ({ from: 'old' });

@Injectable({ scope: Scope.REQUEST })
class ScopedVerifier extends OwnVerifier {}

@Injectable()
class NoVerifier {}

/** The registry of an app with two resources, of which the second has this verifier. */
async function registry(
  verifier: unknown,
  { providers = [], shared, keys }: { providers?: Type[]; shared?: unknown; keys?: unknown } = {},
): Promise<{ outcome: (index: number) => unknown; boot: () => void }> {
  const authorizationServers = ['https://as.example'];
  const options = resolveOptions({
    resources: [
      { resource: R1, authorizationServers },
      {
        resource: R2,
        authorizationServers,
        verifier,
        ...(keys !== undefined && { apiKeys: { verifier: keys, issuer: 'urn:keys' } }),
      },
    ],
    verifier: shared,
  });
  const module = await Test.createTestingModule({
    providers: [
      ...providers,
      VerifierRegistry,
      { provide: TokenVerifier, useClass: StandardVerifier },
      { provide: MCP_AUTH_OPTIONS, useValue: options },
    ],
  }).compile();
  const found = new VerifierRegistry(module.get(TokenVerifier), module.get(ModuleRef), options);
  return {
    outcome: (index) =>
      found
        .of(options.resources[index]!)
        .verify('t', { signal: new AbortController().signal } as VerificationContext),
    boot: () => {
      found.onModuleInit();
    },
  };
}

describe('VerifierRegistry', () => {
  verifies(['VER-01', 'F77'], 'takes a class, an object or a function', async () => {
    const providers = [OwnVerifier, OldVerifier as unknown as Type];
    const object = { prefix: 'object', verify: (token: string) => ({ from: `${object.prefix} ${token}` }) };
    for (const [verifier, from] of [
      [OwnVerifier, 'own t'],
      [OldVerifier, 'old'],
      [new OwnVerifier(), 'own t'],
      [object, 'object t'],
      [(token: string) => ({ from: `arrow ${token}` }), 'arrow t'],
      [
        function verify(token: string) {
          return { from: `function ${token}` };
        },
        'function t',
      ],
      [undefined, 'standard'],
    ] as const) {
      const { outcome, boot } = await registry(verifier, { providers });
      boot();
      expect([outcome(0), outcome(1)]).toEqual([{ from: 'standard' }, { from }]);
    }
  });

  verifies('VER-01', 'takes that of the module where a resource has none', async () => {
    const shared = (): object => ({ from: 'shared' });
    const both = await registry(new OwnVerifier(), { shared });
    expect([both.outcome(0), both.outcome(1)]).toEqual([{ from: 'shared' }, { from: 'own t' }]);
    const one = await registry(undefined, { shared });
    expect([one.outcome(0), one.outcome(1)]).toEqual([{ from: 'shared' }, { from: 'shared' }]);
  });

  verifies(['F77', 'F87'], 'says at boot which class is missing, and where it belongs', async () => {
    const message = [
      'McpAuthModule has 1 problem:',
      `  - OwnVerifier: is the verifier of ${R2} and cannot be found; add OwnVerifier to the providers of a module, in the default scope`,
    ].join('\n');
    const { boot } = await registry(OwnVerifier);
    expect(boot).toThrow(McpAuthConfigError);
    expect(boot).toThrow(message);
    const scoped = await registry(ScopedVerifier, { providers: [ScopedVerifier] });
    expect(scoped.boot).toThrow(
      `ScopedVerifier: is the verifier of ${R2} and is request-scoped or transient, but one instance serves all requests; give it ` +
        'the default scope, and no request-scoped dependencies',
    );
  });

  verifies('F87', 'wants a class to have the method', async () => {
    const { boot } = await registry(NoVerifier, { providers: [NoVerifier] });
    expect(boot).toThrow(
      `  - NoVerifier: is the verifier of ${R2} and has no method "verify"; extend TokenVerifier`,
    );
  });

  verifies(
    'AKY-18',
    'finds the verifiers of firstOf() as it finds others, and that of the package',
    async () => {
      const none = (): null => null;
      for (const [verifier, from] of [
        [firstOf(none, OwnVerifier), 'own t'],
        [firstOf(OwnVerifier, TokenVerifier), 'own t'],
        [firstOf({ verify: none }, TokenVerifier, OwnVerifier), 'standard'],
        [firstOf(none, firstOf({ verify: none }, OwnVerifier)), 'own t'],
        [firstOf(none, new OwnVerifier()), 'own t'],
      ] as const) {
        const { outcome, boot } = await registry(verifier, { providers: [OwnVerifier] });
        boot();
        expect(await outcome(1)).toMatchObject({ claims: { from } });
      }
      const { boot } = await registry(firstOf(none, OwnVerifier));
      expect(boot).toThrow(`OwnVerifier: is the verifier of ${R2} and cannot be found`);
    },
  );

  verifies('AKY-12', 'says at boot that the class of the verifier of API keys is missing', async () => {
    const missing = await registry(undefined, { keys: OwnVerifier });
    expect(missing.boot).toThrow(`OwnVerifier: is the verifier of ${R2} and cannot be found`);
    const found = await registry(undefined, { keys: OwnVerifier, providers: [OwnVerifier] });
    expect(found.boot).not.toThrow();
    expect(found.outcome(1)).toEqual({ from: 'standard' });
  });

  it('keeps what it found', async () => {
    let made = 0;
    class Counted {
      constructor() {
        made++;
      }

      verify(): null {
        return null;
      }
    }
    const { outcome } = await registry(Counted, { providers: [Counted] });
    outcome(1);
    outcome(1);
    expect(made).toBe(1);
  });
});
