import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { resolveOptions } from './resolve-options.js';

const RESOURCE = { resource: 'https://api.example.com/notes', authorizationServers: ['https://as.example'] };

const resolve = (ofResource: unknown, more: object = {}): ReturnType<typeof resolveOptions> =>
  resolveOptions({ resources: { ...RESOURCE, verifier: ofResource }, ...more });

describe('the option "verifier"', () => {
  verifies(['VER-01', 'F77'], 'leaves a verifier that is an object as it is, open and by its methods', () => {
    const client = { open: true };
    const verifier = { client, verify: (token: string) => ({ token, client: verifier.client }) };
    for (const options of [resolve(verifier), resolve(undefined, { verifier })]) {
      const [resource] = options.resources;
      const verify = resource!.verifier as (token: string) => unknown;
      expect(verify('t')).toEqual({ token: 't', client });
      expect(Object.isFrozen(verifier) || Object.isFrozen(client)).toBe(false);
    }
  });

  it('leaves functions and classes as they are', () => {
    class Own {
      verify(): null {
        return null;
      }
    }
    for (const verifier of [Own, () => null]) {
      expect(resolve(verifier).resources[0]?.verifier).toBe(verifier);
      expect(resolve(undefined, { verifier }).resources[0]?.verifier).toBe(verifier);
      expect(resolve(verifier, { verifier: () => null }).resources[0]?.verifier).toBe(verifier);
    }
  });

  it('is left out', () => {
    const options = resolve(undefined);
    expect(options.resources[0]?.verifier).toBeUndefined();
    expect(options.verifierTimeoutMs).toBe(10_000);
  });

  verifies('F87', 'frees the authorization servers of that resource, and no others, from having keys', () => {
    const { resources } = resolveOptions({
      resources: [
        { ...RESOURCE, verifier: () => null },
        { ...RESOURCE, resource: 'https://api.example.com/admin' },
      ],
    });
    const needs = resources.map(({ authorizationServers }) => authorizationServers[0]?.needsKeys);
    expect(needs).toEqual([false, true]);
  });

  it.each([
    ['a text', '"a text"'],
    [7, '7'],
    [null, 'null'],
    [{}, 'a value of type object'],
    [{ verify: 'a' }, 'a value of type object'],
    [[], 'a list of 0'],
  ])('rejects %j', (verifier, got) => {
    const problem = `verifier: must be a class or an object with a method "verify", or a function; got ${got}`;
    expect(() => resolve(verifier)).toThrow(`resources[0].${problem}`);
    expect(() => resolve(undefined, { verifier })).toThrow(`  - ${problem}`);
  });

  it.each([100, 60_000])('takes %i ms', (verifierTimeoutMs) => {
    expect(resolve(undefined, { verifierTimeoutMs }).verifierTimeoutMs).toBe(verifierTimeoutMs);
  });

  it.each([99, 60_001, 100.5, '100', Infinity])('rejects %j ms', (verifierTimeoutMs) => {
    expect(() => resolve(undefined, { verifierTimeoutMs })).toThrow(
      'verifierTimeoutMs: must be a whole number of milliseconds from 100 to 60000',
    );
  });
});
