import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { isAnonymousMethods, LIFECYCLE_METHODS } from '../options/anonymous-methods.js';
import { isOpenBody } from './anonymous-messages.js';
import { operationsOf } from './operations.js';

/** Whatever a method names, it is there. */
const PARAMS = {
  name: 'x',
  uri: 'x:y',
  ref: { type: 'ref/prompt', name: 'x' },
  notifications: { resourceSubscriptions: ['x:y'] },
};

const message = (method: unknown, params: object = PARAMS): object => ({
  jsonrpc: '2.0',
  id: 1,
  method,
  params,
});

describe('isOpenBody', () => {
  const open = {
    methods: LIFECYCLE_METHODS,
    isOpen: ({ name }: { name: string }) => ['open', 'note://open'].includes(name),
    takesResponses: () => false,
  };
  const isOpen = (body: unknown): boolean => isOpenBody(body, open);

  verifies('CLI-30', 'opens no method that the package authorizes as an operation', () => {
    const known = [
      'tools/call',
      'prompts/get',
      'resources/read',
      'resources/subscribe',
      'subscriptions/listen',
    ];
    for (const method of [...known, 'completion/complete']) {
      expect([method, operationsOf(message(method)).length]).toEqual([method, 1]);
      expect(isAnonymousMethods([method])).toContain('must not be a method that runs handlers');
    }
    for (const method of LIFECYCLE_METHODS) expect(operationsOf(message(method))).toEqual([]);
  });

  verifies('CLI-22', 'opens the call of an open handler, and no other use of it', () => {
    expect(isOpen(message('tools/call', { name: 'open' }))).toBe(true);
    expect(isOpen(message('prompts/get', { name: 'open' }))).toBe(true);
    expect(isOpen(message('resources/read', { uri: 'note://open' }))).toBe(true);
    for (const params of [
      { name: 'closed' },
      { name: ['open'] },
      { name: { toString: () => 'open' } },
      {},
      [],
    ])
      expect(isOpen(message('tools/call', params))).toBe(false);
    expect(isOpen(message('resources/read', { name: 'open' }))).toBe(false);
    expect(isOpen(message('resources/subscribe', { uri: 'note://open' }))).toBe(false);
    const listening = { notifications: { resourceSubscriptions: ['note://open'] } };
    expect(isOpen(message('subscriptions/listen', listening))).toBe(false);
    const completion = { ref: { type: 'ref/prompt', name: 'open' } };
    expect(isOpen(message('completion/complete', completion))).toBe(false);
  });

  verifies('CLI-24', 'opens a batch if all of its messages are open, and none that is empty', () => {
    const [ping, call] = [message('ping'), message('tools/call', { name: 'open' })];
    expect(isOpen([ping])).toBe(true);
    expect(isOpen([ping, call])).toBe(true);
    for (const body of [[], [[]], [[ping]], [ping, message('tools/call', { name: 'closed' })], [ping, null]])
      expect(isOpen(body)).toBe(false);
  });

  verifies('CLI-24', 'opens responses only where the server may have asked', () => {
    const inSession = { ...open, takesResponses: () => true };
    for (const body of [
      { jsonrpc: '2.0', id: 1, result: {} },
      { jsonrpc: '2.0', id: 1, error: {} },
    ])
      expect([isOpen(body), isOpenBody(body, inSession)]).toEqual([false, true]);
    for (const body of [
      { jsonrpc: '2.0', id: 1 },
      { id: 1, result: {} },
      { jsonrpc: '2.0', method: 7, result: {} },
    ])
      expect(isOpenBody(body, inSession)).toBe(false);
  });

  it.each([
    undefined,
    null,
    'ping',
    7,
    true,
    Buffer.from('ping'),
    {},
    { method: 'ping' },
    { jsonrpc: 2, method: 'ping' },
  ])('does not open %j', (body) => {
    expect(isOpen(body)).toBe(false);
  });
});
