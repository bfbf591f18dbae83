import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { admissionOf, makeRoom, responseOf } from './request-auth.js';

describe('makeRoom', () => {
  it('admits nobody, and presents nobody', () => {
    const request = new IncomingMessage(new Socket());
    makeRoom(request);
    expect(admissionOf(request)).toBeUndefined();
    expect(responseOf(request)).toBeUndefined();
    expect(request).toHaveProperty('auth', undefined);
  });

  it('leaves what an application has by the name of "auth" as it is', () => {
    class OwnRequest extends IncomingMessage {
      get auth(): string {
        return 'theirs';
      }
    }
    const request = new OwnRequest(new Socket());
    makeRoom(request);
    expect(request.auth).toBe('theirs');
  });
});
