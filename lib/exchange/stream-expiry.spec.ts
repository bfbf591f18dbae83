import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type AuthInfo } from '../auth-info/auth-info.decorator.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { type Exchange } from './exchange.js';
import { StreamExpiry } from './stream-expiry.js';

const options = { endStreamsAtExpiry: true, clockToleranceSeconds: 0, now: () => new Date() };

function exchangeOf(request: IncomingMessage, response: ServerResponse, expiresAt?: number): Exchange {
  const auth = expiresAt === undefined ? undefined : ({ expiresAt } as AuthInfo);
  return {
    request,
    response,
    body: undefined,
    auth,
    resource: {} as KnownResource,
    needed: [],
    mayStream: true,
  };
}

describe('StreamExpiry', () => {
  const inAnHour = Date.now() / 1000 + 3600;
  const made = (): StreamExpiry => new StreamExpiry(options as ResolvedMcpAuthOptions);
  const newRequest = (): IncomingMessage => new IncomingMessage(new Socket());

  it('watches each answer once, however many layers let its request in, until it is closed', () => {
    const expiry = made();
    const [one, other] = [newRequest(), newRequest()];
    const answers = [new ServerResponse(one), new ServerResponse(other)];
    for (let layer = 0; layer < 2; layer++) {
      expiry.attend(exchangeOf(one, answers[0]!, inAnHour));
      expiry.attend(exchangeOf(other, answers[1]!, inAnHour));
    }
    expect(expiry.watched).toBe(2);
    answers[0]!.emit('close');
    expect(expiry.watched).toBe(1);
    answers[1]!.emit('close');
    expect(expiry.watched).toBe(0);
  });

  it('watches another answer to the same request too', () => {
    const expiry = made();
    const request = newRequest();
    for (let count = 0; count < 2; count++)
      expiry.attend(exchangeOf(request, new ServerResponse(request), inAnHour));
    expect(expiry.watched).toBe(2);
  });

  it('watches none for a token without an end, and none for anybody', () => {
    const expiry = made();
    const request = newRequest();
    const exchange = exchangeOf(request, new ServerResponse(request));
    expiry.attend(exchange);
    expiry.attend({ ...exchange, auth: {} as AuthInfo });
    expect(expiry.watched).toBe(0);
  });
});
