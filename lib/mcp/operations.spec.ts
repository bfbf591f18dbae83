import { describe, expect, it } from 'vitest';
import { operationsOf } from './operations.js';

const call = (name: unknown, method: unknown = 'tools/call'): object => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  params: { name },
});

describe('operationsOf', () => {
  it('reads the tool call of one message', () => {
    expect(operationsOf(call('purge'))).toEqual([{ kind: 'tool', name: 'purge' }]);
    expect(operationsOf(call(''))).toEqual([{ kind: 'tool', name: '' }]);
  });

  it('reads every tool call of a batch, the same one twice too', () => {
    const batch = [call('a'), call('b', 'tools/list'), null, 7, call('b'), call('a')];
    expect(operationsOf(batch).map(({ name }) => name)).toEqual(['a', 'b', 'a']);
  });

  it('reads a call by its method, also without id and version', () => {
    expect(operationsOf({ method: 'tools/call', params: { name: 'a' } })).toHaveLength(1);
  });

  it('does not change or interpret the name', () => {
    for (const name of [
      '__proto__',
      'constructor',
      'Purge ',
      'x", resource_metadata="https://evil.example/',
    ]) {
      expect(operationsOf(call(name))).toEqual([{ kind: 'tool', name }]);
    }
  });

  it.each([
    [undefined],
    [null],
    [''],
    ['tools/call'],
    [7],
    [[]],
    [{}],
    [[[call('a')]]],
    [{ method: 'tools/call' }],
    [{ method: 'tools/call', params: null }],
    [{ method: 'tools/call', params: 'a' }],
    [{ method: 'tools/call', params: ['a'] }],
    [call(7)],
    [call(null)],
    [call(['a'])],
    [call({ name: 'a' })],
    [call('a', 'tools/Call')],
    [call('a', 'tools/call ')],
    [call('a', ['tools/call'])],
    [JSON.parse('{"__proto__": {"method": "tools/call", "params": {"name": "a"}}}') as unknown],
    [Buffer.from('{"method":"tools/call"}')],
  ])('finds no operation in %j', (body) => {
    expect(operationsOf(body)).toEqual([]);
  });
});
