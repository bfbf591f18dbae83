import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { BootstrapDiscoveryError, DiscoveryError } from '../errors/discovery.error.js';
import type { AuthorizationServer } from './authorization-server.js';
import type { AuthorizationServerRegistry } from './authorization-server.registry.js';
import type { IssuerKeysRegistry } from './issuer-keys.registry.js';
import { McpAuthDiagnostics, type McpAuthReport } from './diagnostics.js';
import type { RefreshState } from './refreshed-value.js';

const ISSUER = 'https://as.example';
const fine: RefreshState = { ageSeconds: 7, failure: undefined, isUsable: true };
const old: RefreshState = { ageSeconds: 700, failure: new Error('down'), isUsable: true };
const over: RefreshState = { ageSeconds: 90_000, failure: new Error('down'), isUsable: false };
const never: RefreshState = { ageSeconds: undefined, failure: undefined, isUsable: false };

function report(...servers: (readonly [metadata: RefreshState, keys?: RefreshState])[]): McpAuthReport {
  const all = servers.map(
    ([metadata]) =>
      ({
        issuer: ISSUER,
        state: () => metadata,
        peek: () => undefined,
      }) as unknown as AuthorizationServer,
  );
  const registry = { all: () => all } as unknown as AuthorizationServerRegistry;
  const fetchedOf = (server: AuthorizationServer) => ({ state: () => servers[all.indexOf(server)]![1] });
  return new McpAuthDiagnostics(registry, { fetchedOf } as unknown as IssuerKeysRegistry).report();
}

/** What a failure is told as. */
const told = (failure: unknown): string | undefined =>
  report([{ ...old, failure }]).authorizationServers[0]!.lastFailure;

describe('McpAuthDiagnostics', () => {
  verifies('OPS-07', 'gives the worse of metadata and keys', () => {
    const table: readonly (readonly [RefreshState, RefreshState | undefined, string])[] = [
      [fine, undefined, 'up'],
      [fine, fine, 'up'],
      [old, fine, 'stale'],
      [fine, old, 'stale'],
      [old, old, 'stale'],
      [over, fine, 'down'],
      [fine, over, 'down'],
      [fine, { ...over, ageSeconds: undefined }, 'down'],
      [{ ...over, ageSeconds: undefined }, undefined, 'down'],
      [never, undefined, 'unknown'],
      [never, fine, 'up'],
    ];
    for (const [metadata, keys, status] of table) {
      expect(report(keys ? [metadata, keys] : [metadata])).toMatchObject({
        isHealthy: status !== 'down',
        authorizationServers: [
          { status, metadataAgeSeconds: metadata.ageSeconds, keysAgeSeconds: keys?.ageSeconds },
        ],
      });
    }
  });

  it('is healthy while no server is down, and says so of an idle application', () => {
    expect(report([fine], [old], [never]).isHealthy).toBe(true);
    expect(report([fine], [over]).isHealthy).toBe(false);
    // Nothing was needed for long, so nothing has failed.
    expect(
      report([
        { ...over, failure: undefined },
        { ...over, failure: undefined },
      ]).isHealthy,
    ).toBe(true);
  });

  it('tells a failure without what may be secret', () => {
    const url = `${ISSUER}/meta?key=s3cret`;
    const timeout = new DiscoveryError('timeout', url, 'late');
    const named = new DiscoveryError('metadata_invalid', url, `has the "jwks_uri" "${url}", which is wrong`);
    const thrown = new DiscoveryError('transpile_failed', url, '"transpileData" threw s3cret');
    expect(told(timeout)).toBe(`${ISSUER}/meta?…: late`);
    expect(told(named)).toBe(`${ISSUER}/meta?…: has the "jwks_uri" "${ISSUER}/meta?…", which is wrong`);
    expect(told(thrown)).toBe('"transpileData" failed');
    expect(told(new Error('s3cret'))).toBe('an unexpected error');
    const all = new BootstrapDiscoveryError([{ server: ISSUER, attempts: [timeout, thrown] }]);
    expect(told(all)).toBe(`${ISSUER}/meta?…: late; "transpileData" failed`);
  });
});
