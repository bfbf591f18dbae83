import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { AuthContext } from './auth-context.js';
import type { AuthInfo } from './auth-info.decorator.js';
import { RequestContext } from './request-context.js';

const resource = {} as ProtectedResource;

function authenticate(request: IncomingMessage, subject: string): void {
  RequestContext.of(request).authenticate({ auth: { subject } as AuthInfo, resource }, request);
}

function runForRequest(request: IncomingMessage, handle: () => void): void {
  RequestContext.run(request, handle);
}

function requestOf(subject?: string): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  if (subject !== undefined) authenticate(request, subject);
  return request;
}

describe('AuthContext', () => {
  let context: AuthContext;
  const subject = (): string | undefined => context.current()?.subject;

  beforeEach(() => {
    context = new AuthContext();
  });

  verifies(
    'F94',
    'knows no caller outside of a request, in one that is not authenticated, and after it',
    () => {
      expect(subject()).toBeUndefined();
      let ran = false;
      runForRequest(requestOf(), () => {
        ran = true;
        expect(subject()).toBeUndefined();
      });
      runForRequest(requestOf('u1'), () => {
        expect(subject()).toBe('u1');
      });
      expect([ran, subject(), RequestContext.current()?.request]).toEqual([true, undefined, undefined]);
    },
  );

  it('looks when it is asked: a request may be admitted, and rejected, on its way', () => {
    const request = requestOf();
    runForRequest(request, () => {
      authenticate(request, 'u1');
      expect(subject()).toBe('u1');
      RequestContext.of(request).reset(request);
      expect(subject()).toBeUndefined();
      expect(RequestContext.of(request).withdraw(request)).toBeUndefined();
      authenticate(request, 'u2');
      expect(RequestContext.of(request).withdraw(request)).toEqual({ subject: 'u2' });
      expect([subject(), (request as { auth?: unknown }).auth]).toEqual([undefined, undefined]);
    });
  });

  it('is the same wherever it comes from: two modules of a process know one caller', () => {
    runForRequest(requestOf('u1'), () => {
      expect(new AuthContext().current()).toBe(context.current());
    });
  });

  it('goes back to the outer request behind an inner one', async () => {
    const [outer, inner] = [requestOf('outer'), requestOf('inner')];
    await new Promise<void>((resolve) => {
      runForRequest(outer, () => {
        runForRequest(outer, () => {
          expect(RequestContext.current()?.request).toBe(outer);
        });
        runForRequest(inner, () => {
          expect(subject()).toBe('inner');
        });
        expect(subject()).toBe('outer');
        resolve();
      });
    });
  });

  verifies(
    ['F94', 'H26'],
    'follows each of many requests through promises, timers and callbacks',
    async () => {
      /** One promise for all, as of an answer that many wait for. */
      const shared = delay(2);
      const follow = async (name: string): Promise<void> => {
        const seen: (string | undefined)[] = [];
        await shared;
        seen.push(subject());
        await delay(Math.random() * 3);
        seen.push(subject());
        await new Promise<void>((resolve) => {
          setImmediate(() => {
            seen.push(subject());
            process.nextTick(() => {
              seen.push(subject());
              queueMicrotask(resolve);
            });
          });
        });
        for await (const each of Readable.from(['x'])) seen.push(`${String(each)} ${subject() ?? ''}`);
        try {
          await Promise.reject(new Error('any'));
        } catch {
          seen.push(subject());
        }
        expect(seen).toEqual([name, name, name, name, `x ${name}`, name]);
      };
      await Promise.all(
        Array.from({ length: 100 }, (_, n) => {
          const name = `u${String(n)}`;
          return new Promise<void>((resolve, reject) => {
            runForRequest(requestOf(name), () => {
              follow(name).then(resolve, reject);
            });
          });
        }),
      );
      expect(subject()).toBeUndefined();
    },
  );
});
