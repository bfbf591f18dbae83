import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { AuthInfo } from './auth-info.decorator.js';
import { RequestContext } from './request-context.js';

describe('RequestContext.run()', () => {
  const made = (): IncomingMessage => new IncomingMessage(new Socket());

  it('replaces the context of another request, and only within the call', () => {
    const [outer, inner] = [made(), made()];
    const seen: unknown[] = [];
    const look = (): void => {
      seen.push(RequestContext.current()?.request);
    };
    look();
    RequestContext.run(outer, () => {
      look();
      RequestContext.run(inner, () => {
        RequestContext.run(inner, look);
        RequestContext.run(outer, look);
        look();
      });
      look();
    });
    look();
    const expected = [undefined, outer, inner, outer, inner, outer, undefined];
    expect(seen.map((each, index) => each === expected[index])).toEqual(expected.map(() => true));
  });
});

describe('RequestContext.present()', () => {
  const resource = {} as ProtectedResource;
  const auth = {} as AuthInfo;
  const user = { sub: 'u1' };

  it('stores the second form of the caller on both requests, and removes it with the caller', () => {
    const raw = new IncomingMessage(new Socket());
    const wrapper = { raw };
    const context = RequestContext.of(wrapper);
    context.userProperty = 'user';
    context.authenticate({ auth, resource, user }, wrapper);
    expect([raw, wrapper]).toEqual([
      expect.objectContaining({ auth, user }),
      expect.objectContaining({ auth, user }),
    ]);
    expect(context.presentedUser(wrapper)).toBe(user);
    context.reset(wrapper);
    expect([raw, wrapper]).toEqual([
      expect.objectContaining({ auth: undefined, user: undefined }),
      expect.objectContaining({ auth: undefined, user: undefined }),
    ]);
  });

  it('stores nothing else without the option', () => {
    const request = new IncomingMessage(new Socket());
    RequestContext.of(request).authenticate({ auth, resource, user }, request);
    expect([request, 'user' in request]).toEqual([expect.objectContaining({ auth }), false]);
    expect(RequestContext.of(request).presentedUser(request)).toBeUndefined();
  });
});

describe('RequestContext.openFor()', () => {
  const [one, other] = [{}, {}] as [ProtectedResource, ProtectedResource];
  const made = (): RequestContext => RequestContext.of(new IncomingMessage(new Socket()));

  it('keeps the authorization of an anonymous request for the same resource, and drops it for another', () => {
    const context = made();
    context.openFor(one);
    context.authorization.record({}, []);
    context.openFor(one);
    expect([context.resource, context.authorization.isMade]).toEqual([one, true]);
    context.openFor(other);
    expect(context.resource).toBe(other);
    expect(context.authorization.isMade).toBe(false);
  });

  it('keeps the authorization of an authenticated request on a public route', () => {
    const context = made();
    context.authenticate({ auth: {} as AuthInfo, resource: one }, context.request);
    context.authorization.record({}, []);
    context.openFor(undefined);
    expect([context.resource, context.authorization.isMade]).toEqual([one, true]);
  });
});
