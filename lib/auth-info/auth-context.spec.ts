import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { AuthContext } from './auth-context.js';
import { type AuthInfo } from './auth-info.decorator.js';
import { currentRequest, runForRequest } from './current-request.js';
import { clearAdmission, recordAdmission, withdrawAdmission } from './request-auth.js';

const resource = {} as KnownResource;

function requestOf(subject?: string): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  if (subject !== undefined) recordAdmission(request, { auth: { subject } as AuthInfo, resource });
  return request;
}

describe('AuthContext', () => {
  let context: AuthContext;
  const subject = (): string | undefined => context.current()?.subject;

  beforeEach(() => {
    context = new AuthContext();
  });

  verifies('F94', 'knows nobody outside of a request, in one that is not admitted, and after it', () => {
    expect(subject()).toBeUndefined();
    let ran = false;
    runForRequest(requestOf(), () => {
      ran = true;
      expect(subject()).toBeUndefined();
    });
    runForRequest(requestOf('u1'), () => {
      expect(subject()).toBe('u1');
    });
    expect([ran, subject(), currentRequest()]).toEqual([true, undefined, undefined]);
  });

  it('looks when it is asked: a request may be admitted, and refused, on its way', () => {
    const request = requestOf();
    runForRequest(request, () => {
      recordAdmission(request, { auth: { subject: 'u1' } as AuthInfo, resource });
      expect(subject()).toBe('u1');
      clearAdmission(request);
      expect(subject()).toBeUndefined();
      expect(withdrawAdmission(request)).toBeUndefined();
      recordAdmission(request, { auth: { subject: 'u2' } as AuthInfo, resource });
      expect(withdrawAdmission(request)).toEqual({ subject: 'u2' });
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
          expect(currentRequest()).toBe(outer);
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
