import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { ResponseState } from '../request/response-state.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { StreamExpiry } from './stream-expiry.js';

const options = { endStreamsAtExpiry: true, clockToleranceSeconds: 0, now: () => new Date() };

function stateOf(
  request: IncomingMessage,
  response: ServerResponse,
  auth?: Partial<AuthInfo>,
): ResponseState {
  const authorized = {
    request,
    response,
    body: undefined,
    auth: auth as AuthInfo | undefined,
    resource: {} as ProtectedResource,
    needed: [],
    mayStream: true,
    allowsAnonymous: false,
  };
  return new ResponseState(authorized, { denied: () => undefined });
}

describe('StreamExpiry', () => {
  const inAnHour = { expiresAt: Date.now() / 1000 + 3600 };
  const made = (): StreamExpiry => new StreamExpiry(options as ResolvedMcpAuthOptions);
  const newRequest = (): IncomingMessage => new IncomingMessage(new Socket());

  it.each(['abc', 'acb', 'bac', 'bca', 'cab', 'cba'])(
    'watches each answer once, however many layers let its request in, until it is closed: %s',
    (order) => {
      const expiry = made();
      const answers = ['a', 'b', 'c'].map(() => {
        const request = newRequest();
        return { response: new ServerResponse(request), request };
      });
      for (const { request, response } of answers) {
        const state = stateOf(request, response, inAnHour);
        for (let layer = 0; layer < 2; layer++) expiry.intercept(state);
      }
      let left = 3;
      expect(expiry.watched).toBe(left);
      for (const name of order) {
        const response = answers['abc'.indexOf(name)]?.response;
        response?.emit('close');
        response?.emit('close');
        expect(expiry.watched).toBe(--left);
      }
    },
  );

  it('watches another answer to the same request too', () => {
    const expiry = made();
    const request = newRequest();
    for (let count = 0; count < 2; count++)
      expiry.intercept(stateOf(request, new ServerResponse(request), inAnHour));
    expect(expiry.watched).toBe(2);
  });

  it('watches none for a token without an end, and none for anybody', () => {
    const expiry = made();
    const request = newRequest();
    for (const auth of [undefined, {}]) expiry.intercept(stateOf(request, new ServerResponse(request), auth));
    expect(expiry.watched).toBe(0);
  });
});
