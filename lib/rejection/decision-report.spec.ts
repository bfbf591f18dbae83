import { Logger } from '@nestjs/common';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { DiscoveryError } from '../errors/discovery.error.js';
import {
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientScopeError,
  RequestOriginRejectedError,
  TenantRejectedError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import type { AccessDeniedEvent, McpAuthEvent } from '../events/mcp-auth-event.interface.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { withRejectedClaims } from '../policy/rejected-claims.js';
import type { McpAuthModuleOptions } from '../options/mcp-auth-options.js';
import { RequestContext } from '../request/request-context.js';
import { DecisionReport } from './decision-report.js';
import { RequestEvents } from './request-events.js';

const RESOURCE = 'https://api.example.com/notes';
const ISSUER = 'https://as.example';
const NO_PRINCIPAL = {
  ...{ issuer: undefined, clientId: undefined, subject: undefined, jti: undefined, actor: undefined },
};

describe('DecisionReport', () => {
  let lines: unknown[][];
  let seen: McpAuthEvent[];
  let events: McpAuthEvents;
  let report: DecisionReport;
  let told: unknown[];
  let onUnauthorized: NonNullable<McpAuthModuleOptions['onUnauthorized']>;

  beforeEach(() => {
    lines = [];
    seen = [];
    const at =
      (level: string) =>
      (...line: unknown[]) => {
        lines.push([level, ...line.slice(0, -1)]);
      };
    Logger.overrideLogger({ log: at('log'), debug: at('debug'), warn: at('warn'), error: at('error') });
    const options = { now: () => new Date(0) };
    events = new McpAuthEvents(options);
    told = [];
    onUnauthorized = (request) => told.push(request);
    const log = new RateLimitedLogger(options);
    const settings = {
      ...{ ...options, resources: [], clockToleranceSeconds: 5, maxTokenLength: 8192 },
      onUnauthorized: (request: Parameters<typeof onUnauthorized>[0]) => onUnauthorized(request),
    };
    report = new DecisionReport(events, log, settings, new RequestEvents(events, log, { redact: undefined }));
  });

  afterEach(() => {
    Logger.overrideLogger(false);
  });

  const tell = (failure: unknown, status = 401, auth?: AuthInfo, request?: object): void => {
    report.rejected({ failure, status, resource: RESOURCE, auth, request });
  };

  /** The line without its id. */
  const line = (): unknown[] => lines.flat().map((part) => String(part).replace(/ \([0-9a-f-]{36}\)$/, ''));

  it.each([
    [new TenantRejectedError('unknown_tenant'), 'unknown_tenant'],
    [new RequestOriginRejectedError('origin'), 'origin'],
    [new CredentialsRejectedError('missing_token'), 'missing_token'],
    [new TokenRejectedError('audience', { cause: new Error('secret') }), 'audience'],
  ])('tells at debug level what a client did: %s', (failure, reason) => {
    events.events$.subscribe((event) => seen.push(event));
    tell(failure);
    expect(line()).toEqual(['debug', `Rejected a request for ${RESOURCE}: ${reason}`]);
    expect(seen).toMatchObject([
      { type: 'access_denied', resource: RESOURCE, reason, status: 401, ...NO_PRINCIPAL },
    ]);
  });

  verifies('SCP-30', 'joins event and line by a random id', () => {
    const auth = {
      issuer: ISSUER,
      subject: 'u1',
      clientId: 'c1',
      scopes: ['a'],
      claims: { jti: 'j1' },
    } as unknown as AuthInfo;
    events.on('access_denied', (event) => seen.push(event));
    tell(new InsufficientScopeError(['b', 'c\n']), 403, auth);
    tell(new InsufficientScopeError(['b']), 403);
    const [first, second] = seen as [AccessDeniedEvent, McpAuthEvent];
    expect(first).toEqual({
      type: 'access_denied',
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/) as string,
      ...{ resource: RESOURCE, route: undefined, operations: [], credential: 'bearer', binding: undefined },
      ...{ protocolVersion: undefined, session: undefined, remoteAddress: undefined },
      ...{ traceparent: undefined, reason: 'insufficient_scope', status: 403, actor: undefined },
      required: ['b', 'c\n'],
      granted: ['a'],
      ...{ issuer: ISSUER, clientId: 'c1', subject: 'u1', jti: 'j1' },
    });
    expect(second).toMatchObject({ granted: [], ...NO_PRINCIPAL });
    const text = `Rejected a request for ${RESOURCE}: insufficient_scope (${first.requestId})`;
    expect(lines[0]).toEqual(['debug', text]);
  });

  it('leaves the route of a request alone if only an operation of it is rejected', () => {
    events.on('access_denied', (event) => seen.push(event));
    const request = new IncomingMessage(new Socket());
    const partial = { failure: new TokenRejectedError('expired'), status: 401, resource: RESOURCE };
    report.rejected({ ...partial, auth: undefined, request, route: 'Notes.purge', isPartial: true });
    report.rejected({ ...partial, auth: undefined, request, route: 'Notes.post' });
    expect(seen).toMatchObject([{ route: undefined }, { route: 'Notes.post' }]);
  });

  verifies('OPS-06', 'writes no reason that a verifier has taken from a token', () => {
    events.on('access_denied', (event) => seen.push(event));
    tell(new TokenRejectedError('ann@people.example' as never));
    expect(line()).toEqual(['debug', `Rejected a request for ${RESOURCE}: inactive`]);
    expect(seen).toMatchObject([{ reason: 'inactive', status: 401 }]);
  });

  it('warns of an outage, with its cause, and names the server in the event', () => {
    events.on('access_denied', (event) => seen.push(event));
    const cause = new DiscoveryError('server_error', 'https://as.example/jwks', 'answered 500');
    tell(new AuthorizationServerUnavailableError(ISSUER, 'keys', { cause }), 503);
    tell(new AuthorizationServerUnavailableError(ISSUER), 503);
    const start = `Answered 503 for ${RESOURCE}: Could not get the keys of ${ISSUER}`;
    expect(line()).toEqual([
      ...['warn', `${start} (https://as.example/jwks: answered 500)`],
      ...['warn', `${start} (unknown cause)`],
    ]);
    expect(seen[0]).toMatchObject({ reason: 'unavailable', status: 503, issuer: ISSUER });
  });

  it('reports a fault of the application as an error, with where it came through', () => {
    events.on('access_denied', (event) => seen.push(event));
    tell(new TypeError('ours\nforged'), 500);
    const [level, text, stack] = line();
    expect([level, text]).toEqual(['error', `Answered 500 for ${RESOURCE}: TypeError: ours\\u000aforged`]);
    expect(stack).toMatch(/^TypeError: ours\\u000aforged\n {4}at /);
    expect(seen[0]).toMatchObject({ reason: 'fault', status: 500 });
  });

  it.each([['a text'], [Object.create(null)], [undefined]])('reports what is no error too: %s', (thrown) => {
    tell(thrown, 500);
    expect(line()[1]).toBe(`Answered 500 for ${RESOURCE}: a value of type ${typeof thrown}`);
  });

  verifies('OPS-06', 'says whose token was rejected, where a verifier vouches for that', () => {
    events.on('access_denied', (event) => seen.push(event));
    const claims = { iss: ISSUER, sub: 'x\n{fake}', azp: 'c1', jti: 'j1' };
    tell(withRejectedClaims(new TokenRejectedError('expired'), claims));
    tell(withRejectedClaims(new TokenRejectedError('subject'), { iss: 1, sub: {}, jti: [] }));
    expect(seen).toMatchObject([
      { reason: 'expired', issuer: ISSUER, clientId: 'c1', subject: 'x\n{fake}', jti: 'j1' },
      { reason: 'subject', ...NO_PRINCIPAL },
    ]);
    expect(JSON.stringify(lines)).not.toContain('fake');
  });

  verifies(
    'OPS-03',
    'tells the application of each 401 once, with the address and nothing of the token',
    () => {
      const socket = { remoteAddress: '192.0.2.1' };
      tell(new TokenRejectedError('signature'), 401, undefined, { ip: '198.51.100.7', socket });
      tell(new CredentialsRejectedError('missing_token'), 401, undefined, { socket });
      const claims = { iss: ISSUER, sub: 'u1', client_id: 'c1', jti: 'j1' };
      tell(withRejectedClaims(new TokenRejectedError('expired'), claims), 401, undefined, {
        ip: 7,
        socket: {},
      });
      tell(new TokenRejectedError('inactive'));
      expect(told).toEqual([
        { remoteAddress: '198.51.100.7', resource: RESOURCE, reason: 'signature' },
        { remoteAddress: '192.0.2.1', resource: RESOURCE, reason: 'missing_token' },
        { remoteAddress: undefined, resource: RESOURCE, reason: 'expired' },
        { remoteAddress: undefined, resource: RESOURCE, reason: 'inactive' },
      ]);
      tell(new CredentialsRejectedError('multiple_credentials'), 400);
      tell(new InsufficientScopeError(['b']), 403);
      tell(new AuthorizationServerUnavailableError(ISSUER), 503);
      tell(new TypeError('ours'), 500);
      expect(told).toHaveLength(4);
    },
  );

  verifies('OPS-03', 'keeps what the application throws from the request, and logs it', async () => {
    onUnauthorized = () => {
      throw new RangeError('theirs\nforged');
    };
    tell(new TokenRejectedError('signature'));
    onUnauthorized = () => Promise.reject(new Error('later'));
    tell(new TokenRejectedError('signature'));
    await new Promise((resolve) => setImmediate(resolve));
    expect(lines.filter(([level]) => level === 'error').map(([, text]) => text)).toEqual([
      'the option "onUnauthorized" threw RangeError: theirs\\u000aforged',
      'the option "onUnauthorized" threw Error: later',
    ]);
  });

  it('makes no event without a listener', () => {
    const emitted: unknown[] = [];
    events.emit = (event) => emitted.push(event);
    tell(new TokenRejectedError('expired'));
    tell(new InsufficientScopeError(['b']), 403);
    expect(emitted).toEqual([]);
  });

  verifies('OPS-28', 'makes an id only for a line that is written, or for a listener', () => {
    const isAudited = (request: object): boolean =>
      (RequestContext.of(request) as unknown as { audited: unknown }).audited !== undefined;
    const told = (): boolean => {
      const request = { headers: {} };
      tell(new TokenRejectedError('expired'), 401, undefined, request);
      return isAudited(request);
    };
    // Ten lines of a kind are written in a minute.
    expect(Array.from({ length: 12 }, told)).toEqual([...Array<boolean>(10).fill(true), false, false]);
    events.on('access_denied', () => undefined);
    expect(told()).toBe(true);
  });
});
