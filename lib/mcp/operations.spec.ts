import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { isMcpBody, operationsOf } from './operations.js';

const call = (name: unknown, method: unknown = 'tools/call'): object => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  params: { name },
});

const tool = (name: string, args = {}): object => ({
  kind: 'tool',
  name,
  method: 'tools/call',
  arguments: args,
});

const asks = (method: string, params: unknown): unknown =>
  operationsOf({ jsonrpc: '2.0', id: 1, method, params }).map(({ kind, name }) => [kind, name]);

describe('operationsOf', () => {
  it('reads the tool call of one message', () => {
    expect(operationsOf(call('purge'))).toEqual([tool('purge')]);
    expect(operationsOf(call(''))).toEqual([tool('')]);
  });

  verifies('SCP-21', 'reads what every other method is about that runs a handler', () => {
    expect(asks('prompts/get', { name: 'greet', arguments: { who: 'you' } })).toEqual([['prompt', 'greet']]);
    expect(asks('resources/read', { uri: 'note://1' })).toEqual([['resource', 'note://1']]);
    expect(asks('resources/subscribe', { uri: 'note://1' })).toEqual([['resource', 'note://1']]);
    expect(asks('completion/complete', { ref: { type: 'ref/prompt', name: 'greet' } })).toEqual([
      ['prompt', 'greet'],
    ]);
    expect(asks('completion/complete', { ref: { type: 'ref/resource', uri: 'note://{id}' } })).toEqual([
      ['resource', 'note://{id}'],
    ]);
    expect(
      asks('subscriptions/listen', { notifications: { resourceSubscriptions: ['note://1', 7, 'note://2'] } }),
    ).toEqual([
      ['resource', 'note://1'],
      ['resource', 'note://2'],
    ]);
  });

  it('tells the method of every message, and arguments only where a handler gets them', () => {
    const given = { name: 'a', uri: 'a', arguments: { folder: 'hr' } };
    const subscriptions = { notifications: { resourceSubscriptions: ['a', 'b', 'a'] } };
    for (const [method, params, args, names = ['a']] of [
      ['tools/call', given, given.arguments],
      ['prompts/get', given, given.arguments],
      ['resources/read', given, {}],
      ['resources/subscribe', given, {}],
      ['completion/complete', { ...given, ref: { type: 'ref/prompt', name: 'a' } }, {}],
      ['completion/complete', { ...given, ref: { type: 'ref/resource', uri: 'a' } }, {}],
      ['subscriptions/listen', { ...given, ...subscriptions }, {}, ['a', 'b']],
    ] as const) {
      const operations = operationsOf({ method, params });
      const told = operations.map(({ name, method: by, arguments: its }) => [name, by, its]);
      expect(told).toEqual(names.map((name) => [name, method, args]));
    }
    for (const args of [null, undefined, 'hr', 7]) {
      const [prompt] = operationsOf({ method: 'prompts/get', params: { name: 'a', arguments: args } });
      expect(prompt?.arguments).toEqual({});
    }
  });

  it('gives the arguments as they were sent', () => {
    expect(
      operationsOf({ method: 'tools/call', params: { name: 'a', arguments: { folder: 'hr' } } }),
    ).toEqual([tool('a', { folder: 'hr' })]);
    expect(operationsOf({ method: 'tools/call', params: { name: 'a', arguments: 'hr' } })).toEqual([
      tool('a'),
    ]);
  });

  it.each([
    ['prompts/get', { uri: 'greet' }],
    ['prompts/list', { name: 'greet' }],
    ['resources/read', { name: 'note://1' }],
    ['resources/unsubscribe', { uri: 'note://1' }],
    ['completion/complete', { ref: { type: 'ref/tool', name: 'greet' } }],
    ['completion/complete', { ref: { type: 'ref/prompt', uri: 'greet' } }],
    ['completion/complete', { ref: 'greet' }],
    ['subscriptions/listen', { notifications: { resourceSubscriptions: 'note://1' } }],
    ['subscriptions/listen', { resourceSubscriptions: ['note://1'] }],
    ['constructor', { name: 'a' }],
    ['__proto__', { name: 'a' }],
  ])('finds no operation in %s with %j', (method, params) => {
    expect(asks(method, params)).toEqual([]);
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
      expect(operationsOf(call(name))).toEqual([tool(name)]);
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

describe('isMcpBody', () => {
  const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };

  it.each([
    ['a request', ping],
    ['a notification', { jsonrpc: '2.0', method: 'notifications/initialized' }],
    ['an answer', { jsonrpc: '2.0', id: 1, result: {} }],
    ['a call that says no version', { method: 'tools/call' }],
    ['a batch', [ping]],
    ['a batch that begins with something else', [7, ping]],
  ])('knows %s', (_, body) => {
    expect(isMcpBody(body)).toBe(true);
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', JSON.stringify(ping)],
    ['another version', { ...ping, jsonrpc: '1.0' }],
    ['another method, without a version', { method: 'ping' }],
    ['no message', { title: 'ping' }],
    ['no batch', []],
    ['a batch within a batch', [[ping]]],
  ])('finds none in %s', (_, body) => {
    expect(isMcpBody(body)).toBe(false);
  });
});
