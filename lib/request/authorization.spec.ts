import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { type DecidedCall, Authorization } from './authorization.js';

const call = (name: string, args: object = {}, method = 'tools/call'): DecidedCall => ({
  kind: 'tool',
  name,
  method,
  arguments: args,
});

describe('Authorization', () => {
  verifies('WAY-26', 'asks once about each call, and anew about any other', () => {
    const decisions = new Authorization();
    let count = 0;
    const ask = (given: DecidedCall, by: object = decisions) =>
      decisions.answer(by, given, () => [`s${String(++count)}`]);
    const args = { a: 1 };
    expect([ask(call('a', args)), ask(call('a', args))]).toEqual([['s1'], ['s1']]);
    expect(ask(call('a', { a: 1 }))).toEqual(['s2']);
    expect(ask(call('b', args))).toEqual(['s3']);
    expect(ask(call('a', args, 'completion/complete'))).toEqual(['s4']);
    expect(ask({ ...call('a', args), kind: 'prompt' })).toEqual(['s5']);
    expect(ask(call('a', args), {})).toEqual(['s6']);
    const failing = (): unknown =>
      decisions.answer(decisions, call('c'), () => {
        throw new Error('no');
      });
    expect(failing).toThrow('no');
    expect(failing).toThrow('no');
  });

  verifies('WAY-26', 'is good for one body', () => {
    const decisions = new Authorization();
    const body = {};
    expect([decisions.covers(body), decisions.covers(undefined)]).toEqual([false, false]);
    decisions.record(body, []);
    expect([decisions.covers(body), decisions.covers({}), decisions.covers(undefined)]).toEqual([
      true,
      false,
      false,
    ]);
  });

  verifies('RTR-02', 'is not good for a body whose operations have changed in place', () => {
    const decisions = new Authorization();
    const body = [{}];
    const [one, other] = [call('a'), call('b')];
    decisions.record(body, [one]);
    expect(decisions.covers(body, [{ ...one }])).toBe(true);
    for (const operations of [[], [other], [one, other], [{ ...one, arguments: {} }]])
      expect(decisions.covers(body, operations)).toBe(false);
  });

  verifies('WAY-26', 'gives a message the arguments of its operation, for one call', () => {
    const decisions = new Authorization();
    const sent = call('a', { n: 1 });
    decisions.record({}, [call('a', {}, 'completion/complete'), sent]);
    const parsed = call('a', { n: 0 });
    const [one, two] = [{}, {}];
    const [invocation, other] = [[], []];
    expect(decisions.sent(call('b'), {}, [])).toBeUndefined();
    expect(decisions.sent(parsed, one, invocation)).toEqual(sent);
    expect(decisions.sent(parsed, one, invocation)).toEqual(sent);
    expect(decisions.sent(parsed, one, other)).toBeUndefined();
    expect(decisions.sent(parsed, two, other)).toBeUndefined();
  });

  verifies('WAY-41', 'leaves calls their own arguments if several operations could be theirs', () => {
    const decisions = new Authorization();
    decisions.record({}, [call('a', { n: 1 }), call('b'), call('a', { n: 2 })]);
    const parsed = call('a', { n: 0 });
    const [one, two, three] = [{}, {}, {}];
    const [invocation, other] = [[], []];
    expect(decisions.sent(parsed, one, invocation)).toBe(parsed);
    expect(decisions.sent(parsed, one, invocation)).toBe(parsed);
    expect(decisions.sent(parsed, one, other)).toBeUndefined();
    expect(decisions.sent(parsed, two, other)).toBe(parsed);
    expect(decisions.sent(parsed, three, [])).toBeUndefined();
  });
});
