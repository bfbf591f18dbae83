import { Logger } from '@nestjs/common';
import { ServerResponse, IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { McpAuthEvent } from '../events/mcp-auth-event.interface.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import type { RedactOptions } from '../options/redact-options.js';
import { RequestAudit } from '../request/request-audit.js';
import { type DecidedRequest, RequestEvents } from './request-events.js';

const DENIAL = { reason: 'expired', status: 401, required: [], isPartial: false } as const;

describe('RequestEvents', () => {
  let events: McpAuthEvents;
  let seen: McpAuthEvent[];
  let errors: unknown[];

  beforeEach(() => {
    events = new McpAuthEvents({ now: () => new Date(0) });
    seen = [];
    errors = [];
    const ignore = (): void => undefined;
    Logger.overrideLogger({ log: ignore, warn: ignore, error: (line: unknown) => errors.push(line) });
  });

  afterEach(() => {
    Logger.overrideLogger(false);
  });

  const make = (redact?: RedactOptions): RequestEvents =>
    new RequestEvents(events, new RateLimitedLogger({ now: () => new Date(0) }), { redact });
  const decided = (): DecidedRequest => ({
    ...{ audit: new RequestAudit(undefined), auth: undefined, resource: 'https://api.example.com/notes' },
    ...{ request: undefined, body: undefined, isLocal: false, claims: { sub: 'u1' } },
  });

  it('reports one grant of a request', () => {
    events.on('access_granted', (event) => seen.push(event));
    const [one, subject] = [decided(), make()];
    subject.granted(one);
    subject.granted(one);
    expect(seen).toHaveLength(1);
  });

  it('makes no event that only other listeners want', () => {
    events.on('request_completed', (event) => seen.push(event));
    const one = decided();
    make().denied(one, DENIAL);
    expect([seen, one.audit.decision]).toEqual([[], 'denied']);
  });

  it('reports the end of a response that is closed already', () => {
    events.on('request_completed', (event) => seen.push(event));
    const response = new ServerResponse(new IncomingMessage(new Socket()));
    Object.defineProperty(response, 'closed', { value: true });
    make().awaitEnd(decided(), response, () => undefined);
    expect(seen).toMatchObject([{ type: 'request_completed', status: 0 }]);
  });

  it('keeps a request open of which one operation is denied', () => {
    events.on('access_denied', (event) => seen.push(event));
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'purge' } };
    const one = { ...decided(), body };
    make().denied(one, { ...DENIAL, isPartial: true });
    const denied = [{ method: 'tools/call', kind: 'tool', name: 'purge' }];
    expect([one.audit.decision, one.audit.deniedOperations]).toEqual([undefined, denied]);
    expect(seen).toMatchObject([{ type: 'access_denied', operations: denied }]);
  });

  it('leaves out what is no text', () => {
    events.on('access_denied', (event) => seen.push(event));
    const subject = (() => 7) as unknown as NonNullable<RedactOptions['subject']>;
    make({ subject }).denied(decided(), DENIAL);
    expect(seen).toMatchObject([{ subject: undefined }]);
    expect(errors).toHaveLength(1);
  });

  it('leaves out what a promise stands for, and says so', () => {
    events.on('access_denied', (event) => seen.push(event));
    const subject = (() => Promise.reject(new Error('u1'))) as unknown as NonNullable<
      RedactOptions['subject']
    >;
    make({ subject }).denied(decided(), DENIAL);
    expect(seen).toMatchObject([{ subject: undefined }]);
    expect(errors).toEqual([
      'the option "redact.subject" failed, so events leave the value out: TypeError: it returned a value of type object',
    ]);
  });
});
