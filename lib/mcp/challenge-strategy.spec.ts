import { describe, expect, it } from 'vitest';
import { strategyFor } from './challenge-strategy.js';

describe('strategyFor', () => {
  const strategy = (body: unknown, version?: string): string =>
    strategyFor({ body, headers: { 'mcp-protocol-version': version } });

  it('goes by the protocol version of an MCP message, and names all scopes to other clients', () => {
    const message = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    expect(strategy({ title: 'a note' }, '2026-07-28')).toBe('complete');
    expect(strategy(undefined, '2026-07-28')).toBe('complete');
    expect(strategy(message, '2025-06-18')).toBe('accumulated');
    expect(strategy(message, '2026-07-28')).toBe('operation');
  });
});
