import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { isAnonymousMethods, LIFECYCLE_METHODS } from './anonymous-methods.js';

describe('the methods of anonymousMethods', () => {
  it('may be those of the lifecycle and any other that runs no handler', () => {
    expect(isAnonymousMethods(LIFECYCLE_METHODS)).toBeUndefined();
    expect(Object.isFrozen(LIFECYCLE_METHODS)).toBe(true);
    expect(isAnonymousMethods([])).toBeUndefined();
    expect(isAnonymousMethods(['logging/setLevel', 'acme.example/hello'])).toBeUndefined();
  });

  verifies('CLI-30', 'are none that run handlers, in any letter case', () => {
    const running = [
      ...['tools/call', 'prompts/get', 'resources/read', 'resources/subscribe', 'subscriptions/listen'],
      ...['completion/complete', 'tasks/get', 'tasks/result', 'tasks/update', 'tasks/list', 'tasks/cancel'],
    ];
    for (const method of running)
      for (const spelled of [method, method.toUpperCase(), method.replace(/^./, (c) => c.toUpperCase())])
        expect([spelled, isAnonymousMethods(['ping', spelled])]).toEqual([
          spelled,
          `member 1 must not be a method that runs handlers; put @AllowAnonymous() on the handlers instead of "${spelled}"`,
        ]);
  });

  it.each([
    ['ping', 'must be a list'],
    [[''], 'member 0 must be a non-empty string'],
    [[7], 'member 0 must be a non-empty string'],
    [[' ping'], 'member 0 must be the name of a JSON-RPC method'],
    [['tools/*'], 'member 0 must be the name of a JSON-RPC method'],
    [['ping/'], 'member 0 must be the name of a JSON-RPC method'],
    [['__proto__'], 'member 0 must be the name of a JSON-RPC method'],
  ])('are a list of names: %j %s', (value, problem) => {
    expect(isAnonymousMethods(value)).toBe(problem);
  });
});
