import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { beforeEach, describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import type { McpAuthEvent } from '../events/mcp-auth-event.interface.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { RequestEvents } from '../rejection/request-events.js';
import { RequestContext } from '../request/request-context.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { AccessGrants } from './access-grants.js';

const RESOURCE = { options: { resource: 'https://api.example.com/notes' } } as ProtectedResource;

describe('AccessGrants', () => {
  let events: McpAuthEvents;
  let grants: AccessGrants;
  let request: IncomingMessage & { body?: unknown };
  let response: ServerResponse;
  let context: RequestContext;

  beforeEach(() => {
    const options = { now: () => new Date(0) };
    events = new McpAuthEvents(options);
    const log = new RateLimitedLogger(options);
    grants = new AccessGrants(events, new RequestEvents(events, log, { redact: undefined }));
    request = new IncomingMessage(new Socket());
    request.method = 'POST';
    request.body = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
    response = new ServerResponse(request);
    context = RequestContext.of(request);
    context.openFor(RESOURCE);
  });

  it('notes the session that the head names before anything replaces it, and nothing without listeners', () => {
    const seen = new IncomingMessage(new Socket());
    seen.headers['mcp-session-id'] = 'sent';
    grants.see(seen);
    expect(RequestContext.find(seen)).toBeUndefined();
    events.on('access_granted', () => undefined);
    grants.see(seen);
    seen.headers['mcp-session-id'] = 'replaced';
    expect(RequestContext.of(seen).audit.sessionId).toBe('sent');
  });

  const decideAll = (): void => {
    grants.see(request);
    grants.grantLater(context, request, response);
    grants.grant(context, request, response, 'Notes.list');
    grants.flush(context);
  };

  const isUntouched = (): boolean =>
    (context as unknown as { audited: unknown }).audited === undefined &&
    ['write', 'end', 'writeHead'].every((name) => !Object.hasOwn(response, name)) &&
    response.listenerCount('close') === 0;

  verifies('OPS-28', 'makes nothing without a listener of events of requests', () => {
    decideAll();
    expect(isUntouched()).toBe(true);
    events.on('keys_refreshed', () => undefined);
    decideAll();
    expect(isUntouched()).toBe(true);
    const told = (): void => undefined;
    subscribe('nestjs-mcp-auth:keys_refreshed', told);
    decideAll();
    unsubscribe('nestjs-mcp-auth:keys_refreshed', told);
    expect(isUntouched()).toBe(true);
    const end = events.on('access_granted', () => undefined);
    end();
    decideAll();
    expect(isUntouched()).toBe(true);
    events.on('access_granted', () => undefined);
    decideAll();
    expect(isUntouched()).toBe(false);
  });

  verifies('OPS-28', 'reads no answer without a listener of its end', () => {
    events.on('access_granted', () => undefined);
    grants.grant(context, request, response, 'Notes.list');
    expect(['write', 'end', 'writeHead'].filter((name) => Object.hasOwn(response, name))).toEqual([]);
    const other = RequestContext.of(Object.assign(new IncomingMessage(new Socket()), { method: 'POST' }));
    other.openFor(RESOURCE);
    events.on('request_completed', () => undefined);
    grants.grant(other, request, response, 'Notes.list');
    expect(['write', 'end'].filter((name) => Object.hasOwn(response, name))).toEqual(['write', 'end']);
  });

  verifies('OPS-21', 'reports a request once, however many layers let it through', () => {
    const seen: McpAuthEvent[] = [];
    events.on('access_granted', (event) => seen.push(event));
    decideAll();
    decideAll();
    response.writeHead(200);
    response.emit('close');
    expect(seen).toMatchObject([{ type: 'access_granted', route: 'Notes.list' }]);
  });

  it('reports a request that awaits a further layer when its answer begins, or is closed before', () => {
    const seen: McpAuthEvent[] = [];
    events.on('access_granted', (event) => seen.push(event));
    grants.grantLater(context, request, response);
    expect(seen).toEqual([]);
    response.emit('close');
    expect(seen).toHaveLength(1);
  });

  it('reports nothing of a public route', () => {
    const seen: McpAuthEvent[] = [];
    events.events$.subscribe((event) => seen.push(event));
    const request = new IncomingMessage(new Socket());
    const open = RequestContext.of(request);
    open.openFor(undefined);
    grants.grant(open, request, response);
    expect(seen).toEqual([]);
  });
});
