import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { AuthInfo } from './auth-info.decorator.js';
import { RequestContext } from './request-context.js';

describe('RequestContext.prepare', () => {
  it('authenticates no caller, and presents none', () => {
    const request = new IncomingMessage(new Socket());
    RequestContext.prepare(request);
    const context = RequestContext.find(request);
    expect([context?.isDecided, context?.response]).toEqual([false, undefined]);
    expect(request).toHaveProperty('auth', undefined);
  });

  it('leaves what an application has by the name of "auth" as it is', () => {
    class OwnRequest extends IncomingMessage {
      get auth(): string {
        return 'theirs';
      }
    }
    const request = new OwnRequest(new Socket());
    RequestContext.prepare(request);
    expect(request.auth).toBe('theirs');
  });
});

describe('RequestContext.run()', () => {
  const made = (): RequestContext => RequestContext.of(new IncomingMessage(new Socket()));

  it('replaces the context of another request, and only within the call', () => {
    const [outer, inner] = [made(), made()];
    const seen: (RequestContext | undefined)[] = [];
    const look = (): void => {
      seen.push(RequestContext.current());
    };
    look();
    outer.run(() => {
      look();
      inner.run(() => {
        inner.run(look);
        outer.run(look);
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
