import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { RequestContext } from './request-context.js';

describe('RequestContext.prepare', () => {
  it('admits nobody, and presents nobody', () => {
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
