import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { requestIdOf } from './rejection-body.js';

const request = (more: object): object => ({ jsonrpc: '2.0', method: 'tools/call', ...more });

describe('requestIdOf', () => {
  verifies('CHL-24', 'is the id of a single request, as it is', () => {
    for (const id of ['1', '', 'x'.repeat(1000), 0, 1, -7, 1.5])
      expect(requestIdOf(request({ id }))).toBe(id);
  });

  it.each([
    ['a notification', request({})],
    ['a null id', request({ id: null })],
    ['a boolean id', request({ id: true })],
    ['a list for an id', request({ id: ['1'] })],
    ['an object for an id', request({ id: { toString: () => '1' } })],
    ['a number that JSON cannot write', request({ id: JSON.parse('1e400') as number })],
    ['a batch of one', [request({ id: 1 })]],
    ['a response', { jsonrpc: '2.0', id: 1, result: {} }],
    ['a method that is no text', request({ id: 1, method: 1 })],
    ['another version', request({ id: 1, jsonrpc: '1.0' })],
    ['a version that is a number', request({ id: 1, jsonrpc: 2 })],
    ['no version', { method: 'a', id: 1 }],
    ['a text', '{"jsonrpc":"2.0","method":"a","id":1}'],
    ['bytes', Buffer.from('{"jsonrpc":"2.0","method":"a","id":1}')],
    ['null', null],
    ['nothing', undefined],
  ])('is null for %s', (_, body) => {
    expect(requestIdOf(body)).toBeNull();
  });
});
