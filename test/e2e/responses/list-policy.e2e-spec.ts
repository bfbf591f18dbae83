import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { McpAuthModuleOptions, ProtectedResourceOptions } from 'nestjs-mcp-auth';
import { type RunningApp, start, startCreated } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../../fixtures/mcp-endpoint.js';
import { type Listing, LISTINGS } from '../../fixtures/listing-app.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { message } from '../../fixtures/operations-app.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { insufficientScope } = notesRejections('notes:read');

type Entry = Record<string, unknown> & { readonly _meta?: Record<string, unknown> };
type Result = Record<string, unknown>;

/** Each list, the member of its result, and by what its entries are called. */
const LISTS = [
  ['tools/list', 'tools', 'name'],
  ['prompts/list', 'prompts', 'name'],
  ['resources/list', 'resources', 'uri'],
  ['resources/templates/list', 'resourceTemplates', 'uriTemplate'],
] as const;

/** What everybody with the baseline sees of each. */
const OPEN = {
  tools: ['open', 'by_folder'],
  prompts: ['hello'],
  resources: ['board://front'],
  resourceTemplates: ['free://any/{id}'],
};

const ALL = {
  tools: ['open', 'purge', 'either', 'by_folder'],
  prompts: ['hello', 'greet'],
  resources: ['board://front', 'board://back'],
  resourceTemplates: ['free://any/{id}', 'note://all/{id}'],
};

/** The result in a JSON body, or in the only event of a stream. */
function resultOf({ text, json }: HttpAnswer): Result {
  const event = /^data: (.+)$/m.exec(text)?.[1] ?? 'null';
  return ((json ?? JSON.parse(event)) as { result: Result }).result;
}

describe.each(LISTINGS)('lists of %s', (_, make) => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  const token = (scope: string) => as.token({ aud: NOTES, scope });

  async function started(
    listPolicy: McpAuthModuleOptions['listPolicy'],
    more: Partial<ProtectedResourceOptions> = {},
  ): Promise<RunningApp> {
    const { options, parts }: Listing = make();
    const resources = {
      resource: NOTES,
      authorizationServers: [as.issuer],
      requiredScopes: ['notes:read'],
      ...more,
    };
    return start({ resources, ...options, ...(listPolicy && { listPolicy }) }, parts);
  }

  /** Asks with a token of these scopes, or without one; in a session where the server has them. */
  async function asking(app: RunningApp, scope?: string) {
    const headers: Record<string, string> = { ...MCP_HEADERS };
    if (scope !== undefined) headers['authorization'] = `Bearer ${await token(scope)}`;
    const post = (body: unknown) => app.send('/notes', { method: 'POST', headers, body });
    const { headers: opened } = await post(INITIALIZE);
    if (opened['mcp-session-id'] !== undefined) headers['mcp-session-id'] = String(opened['mcp-session-id']);
    return post;
  }

  /** What a caller sees in each list. */
  async function seen(app: RunningApp, scope?: string): Promise<Record<string, unknown[]>> {
    const post = await asking(app, scope);
    const lists = LISTS.map(async ([method, member, key]) => {
      const answer = await post(message(method, {}));
      expect([method, answer.status]).toEqual([method, 200]);
      const length = answer.headers['content-length'];
      if (length !== undefined) expect(Number(length)).toBe(Buffer.byteLength(answer.text));
      return [member, (resultOf(answer)[member] as Entry[]).map((entry) => entry[key])] as const;
    });
    return Object.fromEntries(await Promise.all(lists));
  }

  verifies(['SCP-23', 'F74'], 'are whole by default', async () => {
    const app = await started(undefined);
    expect(await seen(app, 'notes:read')).toEqual(ALL);
  });

  verifies(['SCP-23', 'F74'], 'leave out what a token may not use, and nothing else', async () => {
    const app = await started('hide');
    expect(await seen(app, 'notes:read')).toEqual(OPEN);
    expect(await seen(app, 'notes:read notes:admin')).toEqual({
      ...OPEN,
      tools: ['open', 'purge', 'by_folder'],
    });
    expect(await seen(app, 'notes:read notes:Admin notes:b')).toEqual({
      ...OPEN,
      tools: ['open', 'either', 'by_folder'],
    });
    const all = 'notes:read notes:admin notes:a notes:greet board:read note:read';
    expect(await seen(app, all)).toEqual(ALL);
  });

  verifies(
    ['SCP-23', 'F74'],
    'are no access control, because a hidden tool is rejected as before',
    async () => {
      const app = await started('hide');
      const reader = await asking(app, 'notes:read');
      const rejected = await reader(toolCall('purge'));
      expect(rejectedAs(rejected)).toEqual(insufficientScope('notes:read notes:admin'));
      const admin = await asking(app, 'notes:read notes:admin');
      expect(resultOf(await admin(toolCall('purge')))).toMatchObject({
        structuredContent: { done: 'purge' },
      });
    },
  );

  verifies(['SCP-23', 'F74'], 'show to anonymous callers what is open to anybody', async () => {
    const hidden = await started('hide', { allowAnonymous: true });
    // What a function asks for needs to know a caller.
    expect(await seen(hidden)).toEqual({ ...OPEN, tools: ['open'] });
    expect(await seen(hidden, 'notes:read')).toEqual(OPEN);
  });

  verifies(['SCP-23', 'SCP-12', 'F74'], 'hide entries even if no parser has read the request', async () => {
    const { options, parts }: Listing = make();
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const factoryOptions = { bodyParser: false };
    const app = await startCreated(
      { resources, ...options, listPolicy: 'hide' },
      { ...parts, factoryOptions },
    );
    const headers = { ...MCP_HEADERS, authorization: `Bearer ${await token('notes:read')}` };
    const post = (body: unknown, session?: unknown) => {
      const more = typeof session === 'string' ? { 'mcp-session-id': session } : {};
      return app.send('/notes', { method: 'POST', headers: { ...headers, ...more }, body });
    };
    const { headers: opened, status } = await post(INITIALIZE);
    const answer = await post(message('tools/list', {}), opened['mcp-session-id']);
    expect(answer.text).not.toContain('purge');
    // The guard rejects such bodies where a source declares scopes; @rekog/mcp-nest reads them itself.
    if (status === 200)
      expect(resultOf(answer)).toMatchObject({ tools: [{ name: 'open' }, { name: 'by_folder' }] });
    else expect([status, answer.status]).toEqual([500, 500]);
  });

  describe.each(['hide', 'show'] as const)('with %s', (listPolicy) => {
    const tools = listPolicy === 'hide' ? OPEN.tools : ALL.tools;

    verifies(['SCP-23', 'F74'], 'are what the official client v1 expects', async () => {
      const app = await started(listPolicy);
      const headers = { authorization: `Bearer ${await token('notes:read')}` };
      const client = new ClientV1({ name: 'v1', version: '1.0.0' });
      const transport = new TransportV1(new URL('/notes', app.origin), { requestInit: { headers } });
      await client.connect(transport);
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(tools);
      expect((await client.listPrompts()).prompts).toHaveLength(listPolicy === 'hide' ? 1 : 2);
      expect((await client.listResources()).resources).toHaveLength(listPolicy === 'hide' ? 1 : 2);
      // Checked against the output schema of the list.
      const result = await client.callTool({ name: 'open', arguments: {} });
      expect(result.structuredContent).toEqual({ done: 'open' });
      await client.close();
    });

    verifies(['SCP-23', 'F74'], 'are what the official client v2 expects', async () => {
      const app = await started(listPolicy);
      const headers = { authorization: `Bearer ${await token('notes:read')}` };
      const client = new Client({ name: 'v2', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
      await client.connect(
        new StreamableHTTPClientTransport(new URL('/notes', app.origin), { requestInit: { headers } }),
      );
      expect((await client.listTools()).tools.map(({ name }) => name)).toEqual(tools);
      expect((await client.listPrompts()).prompts).toHaveLength(listPolicy === 'hide' ? 1 : 2);
      expect((await client.listResourceTemplates()).resourceTemplates).toHaveLength(
        listPolicy === 'hide' ? 1 : 2,
      );
      const result = await client.callTool({ name: 'open', arguments: {} });
      expect(result.structuredContent).toEqual({ done: 'open' });
      await client.close();
    });
  });
});
