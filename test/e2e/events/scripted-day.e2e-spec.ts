import { UseGuards } from '@nestjs/common';
import { McpController } from '@rekog/mcp-nest';
import type { Client } from '@modelcontextprotocol/client';
import { BearerAuthGuard, type McpAuthEvent, McpAuthEvents } from 'nestjs-mcp-auth';
import { describe, expect } from 'vitest';
import { defaultPlatform, type RunningApp, start } from '../../fixtures/app.js';
import { AuditedTools } from '../../fixtures/audited-endpoints.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { alongside, inMemoryServer } from '../../fixtures/in-memory.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../../fixtures/mcp-endpoint.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

/** With a guard on each tool: over stdio nothing else decides, and over HTTP it decides nothing anew. */
@McpController()
@UseGuards(BearerAuthGuard)
class GuardedTools extends AuditedTools {}

type Tool = 'open' | 'purge' | 'late' | 'broken' | 'list';

/** One call of the day. */
interface Call {
  readonly who: 'alice' | 'bob' | 'eve';
  readonly tool: Tool;
  /** What is wrong with its credential. */
  readonly fault?: 'none' | 'expired' | 'audience';
}

/** Alice reads, Bob administers, and both call over HTTP. Eve calls over stdio, for whom the environment vouches. */
const SCOPES = { alice: 'notes:read', bob: 'notes:read notes:admin notes:late', eve: 'notes:read' } as const;

const TOOLS: readonly Tool[] = ['open', 'purge', 'late', 'broken', 'list'];

const CALLS = 100;

/** The same day each time: a generator of numbers by Park and Miller. */
function script(): Call[] {
  let seed = 20_261_130;
  const draw = <T>(from: readonly T[]): T => {
    seed = (seed * 48_271) % 2_147_483_647;
    return from[seed % from.length]!;
  };
  return Array.from({ length: CALLS }, () => {
    const who = draw(['alice', 'alice', 'bob', 'eve'] as const);
    const tool = draw(TOOLS);
    if (who === 'eve') return { who, tool: tool === 'list' ? 'open' : tool };
    const fault = draw([...Array<undefined>(7), 'none', 'expired', 'audience'] as const);
    return fault ? { who, tool, fault } : { who, tool };
  });
}

/** What the log must say of a call: worked out from the script alone. */
function story(call: Call): string[] {
  const { who, tool, fault } = call;
  const what = tool === 'list' ? 'tools/list' : `tools/call ${tool}`;
  const end = (status: number, outcome: string): string => `completed ${String(status)} ${what} ${outcome}`;
  if (fault === 'none') return [`denied nobody ${what} missing_token 401`, end(401, 'denied')];
  if (fault) return [`denied ${who} ${what} ${fault} 401`, end(401, 'denied')];
  const lacks = (name: Tool, scope: string): boolean => tool === name && !SCOPES[who].includes(scope);
  const refusal = `denied ${who} ${what} insufficient_scope 403`;
  const grant = `granted ${who} ${what}`;
  // Nothing tells of the end of a local call, nor of what its handler asks for later.
  if (who === 'eve') return [lacks('purge', 'notes:admin') ? refusal : grant];
  if (lacks('purge', 'notes:admin')) return [refusal, end(403, 'denied')];
  if (lacks('late', 'notes:late')) return [grant, refusal, end(403, 'denied')];
  return [grant, end(200, tool === 'broken' ? 'failed' : 'succeeded')];
}

/** The same from a line of the log. */
function told(event: Exclude<McpAuthEvent, { issuer: string }>): string {
  const [{ method, name } = { method: '' }] = event.operations;
  const what = name === undefined ? method : `${method} ${name}`;
  const who = event.subject ?? 'nobody';
  if (event.type === 'access_granted') return `granted ${who} ${what}`;
  if (event.type === 'access_denied') return `denied ${who} ${what} ${event.reason} ${String(event.status)}`;
  const outcomes = event.operations.map(({ outcome }) => outcome).join();
  return `completed ${String(event.status)} ${what} ${outcomes}`;
}

/** Names each call for the log, as a tracing client does. */
const traceOf = (index: number): string =>
  `00-${String(index + 1).padStart(32, '0')}-${String(index + 1).padStart(16, '0')}-00`;

describe(`a scripted day, on ${defaultPlatform}`, () => {
  verifies('OPS-29', 'is in the audit log exactly as it happened', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const stdio = inMemoryServer('stdio');
    const { controller, connect } = mcpEndpoint();
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const app = await start(
      { resources, stdio: { subject: 'eve', clientId: 'cli', scopes: SCOPES.eve.split(' ') } },
      {
        controllers: [controller, GuardedTools],
        prepare: async (nest) => {
          await connect(nest);
          await alongside(stdio)(nest);
        },
      },
    );
    const lines: string[] = [];
    const events = app.app.get(McpAuthEvents);
    for (const type of ['access_granted', 'access_denied', 'request_completed'] as const)
      events.on(type, (event: McpAuthEvent) => lines.push(JSON.stringify(event)));

    const local = await stdio.connect();
    const day = script();
    const pending = day.map((call, index) => ({ call, index }));
    const work = async (): Promise<void> => {
      for (let next = pending.shift(); next; next = pending.shift())
        await perform(app, as, local, next.call, traceOf(next.index));
    };
    await Promise.all(Array.from({ length: 8 }, work));

    const wanted = day.map(story);
    await expect.poll(() => lines.length).toBe(wanted.flat().length);
    const log = lines.map((line) => JSON.parse(line) as Exclude<McpAuthEvent, { issuer: string }>);
    const found = day.map((_, index) => log.filter(({ traceparent }) => traceparent === traceOf(index)));
    expect(found.map((each) => each.map(told))).toEqual(wanted);
    // One id for all that is said of a call, and another for each call.
    const ids = found.map((each) => new Set(each.map(({ requestId }) => requestId)));
    expect(ids.every(({ size }) => size === 1)).toBe(true);
    expect(new Set(ids.flatMap((each) => [...each])).size).toBe(CALLS);
    // The day has every kind of call.
    expect(new Set(wanted.map((each) => each.join('; '))).size).toBeGreaterThan(25);
  });
});

async function perform(
  app: RunningApp,
  as: LoopbackAuthorizationServer,
  local: Client,
  { who, tool, fault }: Call,
  traceparent: string,
): Promise<void> {
  if (who === 'eve') {
    const call = { name: tool, arguments: {}, _meta: { traceparent } };
    await local.callTool(call).catch(() => undefined);
    return;
  }
  const exp = Math.floor(Date.now() / 1000) + (fault === 'expired' ? -60 : 300);
  const aud = fault === 'audience' ? `${NOTES}/x` : NOTES;
  const token = await as.token({ aud, exp, scope: SCOPES[who], sub: who });
  const body = tool === 'list' ? { jsonrpc: '2.0', id: 1, method: 'tools/list' } : toolCall(tool);
  await app.send('/notes', {
    method: 'POST',
    headers: {
      ...{ ...MCP_HEADERS, traceparent },
      ...(fault !== 'none' && { authorization: `Bearer ${token}` }),
    },
    body,
  });
}
