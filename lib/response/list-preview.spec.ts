import type { ModuleRef } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import type { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import type { PolicyCall } from '../options/authorization-policy.js';
import type { ScopePolicy } from '../policy/scope-policy.js';
import { Policies } from '../request/policies.js';
import { type Authentication, RequestContext } from '../request/request-context.js';
import type { AuthorizedRequest } from '../request/response-state.js';
import { ListPreview } from './list-preview.js';

const policies = new Policies({} as ModuleRef, new RateLimitedLogger({ now: () => new Date(0) }), {
  verifierTimeoutMs: 1000,
});

const handler = (kind: string, mayList: boolean) => ({
  ...{ name: `${kind}-${String(mayList)}`, requirements: [], authentication: undefined },
  policies: [(call: PolicyCall) => call.kind === kind && mayList],
});

const registry = {
  handlersOfKind: (kind: string) => [handler(kind, true), handler(kind, false)],
  belongsTo: () => true,
} as unknown as HandlerScopeRegistry;

const scopes = { isSatisfied: () => true } as unknown as ScopePolicy;
const resource = { options: { resource: 'https://api.example.com/notes' } };
const authentication = { auth: {}, resource } as unknown as Authentication;

/** The names that a request lets its caller list, by kind. */
function listed(
  request: Partial<AuthorizedRequest['request']>,
  body?: unknown,
  listPolicy: 'hide' | 'show' = 'hide',
): Record<string, string[]> {
  const preview = new ListPreview(policies, registry, scopes, { listPolicy });
  const sent = { headers: {}, ...request };
  const context = RequestContext.of(sent);
  context.authentication = authentication;
  const authorized = { ...authentication, request: sent, body } as unknown as AuthorizedRequest;
  expect(preview.prepare(context, authorized)).toBeUndefined();
  return Object.fromEntries([...context.authorization.listed].map(([kind, names]) => [kind, [...names]]));
}

const TOOLS = { tool: ['tool-true'] };
const ALL = { ...TOOLS, prompt: ['prompt-true'], resource: ['resource-true'] };

describe('ListPreview', () => {
  it('decides on what a message lists, and on nothing for another message', () => {
    expect(listed({ method: 'POST' }, { method: 'tools/list' })).toEqual(TOOLS);
    expect(listed({ method: 'POST' }, { method: 'tools/call' })).toEqual({});
    expect(listed({ method: 'POST' }, { method: 'tools/list' }, 'show')).toEqual({});
  });

  it('decides on all lists for an event stream, and for a body that is not parsed yet', () => {
    expect(listed({ method: 'GET', headers: { accept: 'text/event-stream' } })).toEqual(ALL);
    expect(listed({ method: 'GET', headers: { accept: 'text/html' } })).toEqual({});
    expect(listed({ method: 'POST', headers: { 'content-length': '9' } })).toEqual(ALL);
  });
});
