import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { eventOperations, metaOf } from './event-operations.js';

const call = (params: unknown, id: unknown = 1) => ({ jsonrpc: '2.0', id, method: 'tools/call', params });
const operation = (method: string, kind?: string, name?: string) => ({ method, kind, name });

describe('eventOperations', () => {
  it.each<[unknown, object[]]>([
    [undefined, []],
    ['text', []],
    [[], []],
    [[null, 1, 'x', {}], []],
    [{ jsonrpc: '2.0', id: 1, result: {} }, []],
    [{ jsonrpc: '2.0', id: 1, method: 'tools/list' }, [{ operation: operation('tools/list'), id: 1 }]],
    [call({ name: 'x' }), [{ operation: operation('tools/call', 'tool', 'x'), id: 1 }]],
    [call({ name: 'x' }, 'a'), [{ operation: operation('tools/call', 'tool', 'x'), id: 'a' }]],
    [call({ name: 'x' }, null), [{ operation: operation('tools/call', 'tool', 'x'), id: undefined }]],
    [call({ name: 7 }), [{ operation: operation('tools/call'), id: 1 }]],
    [
      { id: 2, method: 'resources/read', params: { uri: 'note://1' } },
      [{ operation: operation('resources/read', 'resource', 'note://1'), id: 2 }],
    ],
  ])('reads %j', (body, expected) => {
    expect(eventOperations(body)).toEqual(expected);
  });

  verifies('OPS-23', 'has no arguments, and is frozen', () => {
    const [first] = eventOperations(call({ name: 'x', arguments: { secret: 'y' } }));
    expect(JSON.stringify(first)).not.toContain('secret');
    expect(Object.isFrozen(first?.operation)).toBe(true);
  });

  verifies('OPS-23', 'is bounded in number and length', () => {
    const uris = Array.from({ length: 101 }, (_, at) => `note://${String(at)}`);
    const listen = {
      id: 1,
      method: 'subscriptions/listen',
      params: { notifications: { resourceSubscriptions: uris } },
    };
    expect(eventOperations(listen)).toHaveLength(100);
    expect(eventOperations([listen, listen])).toHaveLength(100);
    expect(eventOperations(Array(100).fill(call({ name: 'x' })))).toHaveLength(100);
    expect(eventOperations(Array(101).fill(call({ name: 'x' })))).toHaveLength(100);
    expect(eventOperations(call({ name: 'x'.repeat(200) }))[0]?.operation.name).toHaveLength(200);
    expect(eventOperations(call({ name: 'x'.repeat(201) }))[0]?.operation.name).toHaveLength(200);
  });

  it('finds the metadata of the first message', () => {
    const meta = { traceparent: 'x' };
    expect(metaOf(call({ _meta: meta }))).toBe(meta);
    expect(metaOf([call({ _meta: meta }), call({})])).toBe(meta);
    for (const body of [
      undefined,
      null,
      [],
      [call({}), call({ _meta: meta })],
      call(null),
      call({ _meta: 'x' }),
    ])
      expect(metaOf(body)).toEqual({});
  });
});
