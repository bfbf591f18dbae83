import { describe, expect, it } from 'vitest';
import type { PolicyCall } from '../options/authorization-policy.js';
import { frozenCall } from './policy-call.js';

const callWith = (args: Record<string, unknown>): PolicyCall => ({
  ...{ kind: 'tool', name: 'notes', method: 'tools/call', annotations: undefined },
  arguments: args,
});

/** An object with this many objects inside of each other, itself included. */
function nested(depth: number): Record<string, unknown> {
  let value: Record<string, unknown> = {};
  for (let at = 1; at < depth; at++) value = { value };
  return value;
}

describe('frozenCall', () => {
  it('copies and freezes the arguments at every level', () => {
    const given = { list: [{ id: 1 }], text: 'a', none: null };
    const call = frozenCall(callWith(given));
    expect(call).toEqual(callWith(given));
    const { list } = call.arguments as typeof given;
    for (const part of [call, call.arguments, list, list[0]]) expect(Object.isFrozen(part)).toBe(true);
    given.list.push({ id: 2 });
    expect(list).toEqual([{ id: 1 }]);
    expect(Object.isFrozen(given)).toBe(false);
  });

  it('takes arguments that contain themselves, and bytes', () => {
    const given: Record<string, unknown> = { bytes: new Uint8Array([1, 2]) };
    given['self'] = given;
    const { arguments: copy } = frozenCall(callWith(given));
    expect(copy['self']).toBe(copy);
    expect(copy['bytes']).toEqual(given['bytes']);
    expect(copy['bytes']).not.toBe(given['bytes']);
  });

  it('rejects arguments that are nested more deeply than it can copy', () => {
    expect(frozenCall(callWith(nested(201))).arguments).toEqual(nested(201));
    for (const depth of [202, 100_000])
      expect(() => frozenCall(callWith(nested(depth)))).toThrow(
        expect.objectContaining({ reason: 'too_large' }),
      );
  });
});
