import { describe, expect, it } from 'vitest';
import { RequestContext } from '../request/request-context.js';
import { SealedSessions } from './sealed-sessions.js';

describe('SealedSessions', () => {
  it('knows a session whose seal a layer has removed as anonymous only if that layer had no caller', () => {
    const sessions = new SealedSessions(['1'.repeat(43)], () => undefined);
    const isAnonymous = (owner: string, resource = 'r', id = 'a'): boolean => {
      const request = {};
      RequestContext.of(request).session = { id: 'a', owners: new Map([['r', owner]]) };
      return sessions.isAnonymous(request, resource, id);
    };
    expect(isAnonymous('')).toBe(true);
    expect([isAnonymous('o'), isAnonymous('', 's'), isAnonymous('', 'r', 'b')]).toEqual([
      false,
      false,
      false,
    ]);
    expect(sessions.isAnonymous({}, 'r', 'a')).toBe(false);
  });
});
