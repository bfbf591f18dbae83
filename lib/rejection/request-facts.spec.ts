import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { remoteAddressOf, sentFacts } from './request-facts.js';

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const meta = (value: object) => ({ params: { _meta: value } });

describe('sentFacts', () => {
  const trace = (traceparent: unknown, body?: unknown) =>
    sentFacts({ headers: { traceparent } }, body, undefined).traceparent;

  verifies('OPS-23', 'has a trace context only in its form', () => {
    expect(trace(TRACE)).toBe(TRACE);
    for (const wrong of [
      ...[undefined, '', `${TRACE} `, `${TRACE}-00`, `${TRACE}, ${TRACE}`, [TRACE], TRACE.toUpperCase()],
      ...[TRACE.replace(/^00/, '01'), TRACE.replace(/^00/, 'ff'), `${TRACE}\n`],
      '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
      '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
    ])
      expect([wrong, trace(wrong)]).toEqual([wrong, undefined]);
    expect(trace(undefined, meta({ traceparent: TRACE }))).toBe(TRACE);
    expect(trace('x', meta({ traceparent: TRACE }))).toBe(TRACE);
    expect(trace(undefined, meta({ traceparent: `${TRACE}0` }))).toBeUndefined();
  });

  verifies('OPS-23', 'has a version only if it is a date, and a session only as a hash', () => {
    const version = (header: unknown, body?: unknown) =>
      sentFacts({ headers: { 'mcp-protocol-version': header } }, body, undefined).protocolVersion;
    expect(version('2025-11-25')).toBe('2025-11-25');
    const name = 'io.modelcontextprotocol/protocolVersion';
    expect(version(undefined, meta({ [name]: '2026-07-28' }))).toBe('2026-07-28');
    for (const wrong of ['2025-11-2', '2025-11-25x', 'latest', 7, ['2025-11-25']])
      expect(version(wrong)).toBeUndefined();
    expect(sentFacts({ headers: {} }, undefined, 'abc').session).toBe(
      'ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0',
    );
    expect(sentFacts(undefined, undefined, undefined)).toEqual({
      ...{ protocolVersion: undefined, session: undefined, remoteAddress: undefined, traceparent: undefined },
    });
  });

  it('has the address as the platform sees it', () => {
    const socket = { remoteAddress: '192.0.2.1' };
    expect(remoteAddressOf({ ip: '198.51.100.7', socket })).toBe('198.51.100.7');
    expect(remoteAddressOf({ ip: 7, socket })).toBe('192.0.2.1');
    expect(remoteAddressOf({ socket: null })).toBeUndefined();
  });
});
