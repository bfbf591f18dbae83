import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { tokenActor } from './token-actor.js';

/** A claim with this many actors, as it comes out of a token. */
const chain = (length: number): unknown =>
  JSON.parse(
    `${Array.from({ length }, (_, at) => `{"sub":"a${String(at)}"`).join(',"act":')}${'}'.repeat(length)}`,
  );

const outcome = (act: unknown): unknown => {
  try {
    return tokenActor({ sub: 'u1', act });
  } catch (error) {
    expect(error).toBeInstanceOf(TokenRejectedError);
    return (error as TokenRejectedError).reason;
  }
};

const NONE = { subject: undefined, issuer: undefined, clientId: undefined, actor: undefined };

describe('tokenActor', () => {
  verifies('ACT-01', 'reads the current actor and the earlier ones', () => {
    expect(tokenActor({ sub: 'u1' })).toBeUndefined();
    expect(outcome({ sub: 'a' })).toEqual({ ...NONE, subject: 'a' });
    expect(outcome({ client_id: 'c', iss: 'https://as.example', more: 1 })).toEqual({
      ...{ ...NONE, issuer: 'https://as.example', clientId: 'c' },
    });
    const actor = tokenActor({ act: { sub: 'a', act: { client_id: 'b' } } });
    expect(actor).toEqual({ ...NONE, subject: 'a', actor: { ...NONE, clientId: 'b' } });
    expect([actor, actor?.actor].every(Object.isFrozen)).toBe(true);
  });

  verifies('ACT-02', 'rejects a claim that names no actor', () => {
    const texts = ['agent', '', 0, 1, true, false, null, [], [{ sub: 'a' }]];
    const empty = [{}, { iss: 'https://as.example' }, JSON.parse('{"__proto__":{"sub":"a"}}') as object];
    const wrong = ['', 1, null, {}, ['a']].flatMap((value) => [
      ...[{ sub: value }, { sub: value, client_id: 'c' }],
      ...[
        { sub: 'a', client_id: value },
        { sub: 'a', iss: value },
      ],
    ]);
    for (const act of [...texts, ...empty, ...wrong]) {
      expect([act, outcome(act)]).toEqual([act, 'actor']);
      expect([act, outcome({ sub: 'a', act })]).toEqual([act, 'actor']);
    }
  });

  verifies('ACT-03', 'reads 8 actors, and rejects 9, a thousand, and a circle', () => {
    expect(outcome(chain(8))).toMatchObject({ subject: 'a0' });
    for (const length of [9, 1000, 5000]) expect(outcome(chain(length))).toBe('actor');
    const circle: Record<string, unknown> = { sub: 'a' };
    circle['act'] = circle;
    expect(outcome(circle)).toBe('actor');
  });
});
