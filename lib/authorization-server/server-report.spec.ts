import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { BootstrapDiscoveryError, DiscoveryError } from '../errors/discovery.error.js';
import type { RefreshState } from './refreshed-value.js';
import { type AuthorizationServerReport, reportOn } from './server-report.js';

const ISSUER = 'https://as.example';
const fine: RefreshState = { ageSeconds: 7, failure: undefined, isUsable: true };
const old: RefreshState = { ageSeconds: 700, failure: new Error('down'), isUsable: true };
const over: RefreshState = { ageSeconds: 90_000, failure: new Error('down'), isUsable: false };
const never: RefreshState = { ageSeconds: undefined, failure: undefined, isUsable: false };

function report(
  metadata: RefreshState,
  keys?: RefreshState,
  [retry, keysRetry]: readonly (number | undefined)[] = [],
): AuthorizationServerReport {
  const server = {
    issuer: ISSUER,
    state: () => metadata,
    peek: () => undefined,
    retryInSeconds: () => retry,
  };
  return reportOn(server, keys && { state: () => keys, retryInSeconds: () => keysRetry });
}

/** What a failure is told as. */
const told = (failure: unknown): string | undefined => report({ ...old, failure }).lastFailure;

describe('reportOn', () => {
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
      expect(report(metadata, keys)).toMatchObject({
        status,
        metadataAgeSeconds: metadata.ageSeconds,
        keysAgeSeconds: keys?.ageSeconds,
      });
    }
  });

  verifies('OPS-66', 'gives the earlier of both times at which the server may be asked again', () => {
    expect(report(fine, fine).nextRetrySeconds).toBeUndefined();
    expect(report(old, fine, [5, undefined]).nextRetrySeconds).toBe(5);
    expect(report(fine, old, [undefined, 7]).nextRetrySeconds).toBe(7);
    expect(report(old, old, [9, 4]).nextRetrySeconds).toBe(4);
    expect(report(old, old, [0, 4]).nextRetrySeconds).toBe(0);
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
