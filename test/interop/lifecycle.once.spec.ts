import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { UnauthorizedError as UnauthorizedErrorV1 } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport as TransportV1 } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { LIFECYCLE_METHODS } from 'nestjs-mcp-auth';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { DemoProvider } from '../../sample/demo/src/demo-provider.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { PLATFORMS, startCreated } from '../fixtures/app.js';
import { LifecycleTools } from '../fixtures/lifecycle-endpoints.js';
import { mcpEndpoint } from '../fixtures/mcp-endpoint.js';
import { CREDENTIALS } from '../fixtures/official-clients.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { verifies } from '../verifies.js';

/** A client that has not signed in, and does so once it is asked to. */
interface LateClient {
  readonly urls: readonly string[];
  readonly provider: DemoProvider;
  tools(): Promise<string[]>;
  call(name: string): Promise<string | undefined>;
  sessionId(): string | undefined;
  logins(): number;
  close(): Promise<void>;
}

type Connect = (endpoint: string) => Promise<LateClient>;

interface AnyClient {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<object>;
  close(): Promise<void>;
}

function lateClient(
  client: AnyClient,
  transport: { readonly sessionId?: string | undefined },
  provider: DemoProvider,
  urls: readonly string[],
  signIn: (error: unknown) => Promise<void>,
): LateClient {
  let logins = 0;
  const callTool = (name: string) => client.callTool({ name, arguments: {} });
  return {
    urls,
    provider,
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name) => {
      const result = await callTool(name).catch(async (error: unknown) => {
        await signIn(error);
        logins += 1;
        return callTool(name);
      });
      return (result as { content?: { text?: string }[] }).content?.[0]?.text;
    },
    sessionId: () => transport.sessionId,
    logins: () => logins,
    close: () => client.close(),
  };
}

function recording(): { urls: string[]; fetch: typeof fetch } {
  const urls: string[] = [];
  return {
    urls,
    fetch: (input, init) => {
      urls.push(input instanceof Request ? input.url : input.toString());
      return fetch(input, init);
    },
  };
}

const connectV1: Connect = async (endpoint) => {
  const { urls, fetch } = recording();
  const authProvider = new DemoProvider(new Person(CREDENTIALS));
  const transport = new TransportV1(new URL(endpoint), { authProvider, fetch });
  const client = new ClientV1({ name: 'v1', version: '1.0.0' });
  await client.connect(transport);
  return lateClient(client, transport, authProvider, urls, async (error) => {
    if (!(error instanceof UnauthorizedErrorV1)) throw error;
    await transport.finishAuth(authProvider.takeAnswer().get('code') ?? '');
  });
};

const connectV2 =
  (mode: 'auto' | 'legacy'): Connect =>
  async (endpoint) => {
    const { urls, fetch } = recording();
    const authProvider = new DemoProvider(new Person(CREDENTIALS));
    const transport = new StreamableHTTPClientTransport(new URL(endpoint), { authProvider, fetch });
    const client = new Client({ name: 'v2', version: '1.0.0' }, { versionNegotiation: { mode } });
    await client.connect(transport);
    return lateClient(client, transport, authProvider, urls, async (error) => {
      if (!(error instanceof UnauthorizedError)) throw error;
      await transport.finishAuth(authProvider.takeAnswer());
    });
  };

const CLIENTS: readonly (readonly [string, Connect])[] = [
  ['v1', connectV1],
  ['v2', connectV2('auto')],
  ['v2 of the older revisions', connectV2('legacy')],
];

const resources: Record<string, string[]> = {};
let server: RunningAuthorizationServer;

beforeAll(async () => {
  server = await startAuthorizationServer({ port: 0, resources: () => resources, ...CREDENTIALS });
});

afterAll(() => server.close());

describe.each(PLATFORMS)('sign-in at the first protected tool, on %s', (platform) => {
  for (const statefulMode of [false, true])
    for (const [name, connect] of CLIENTS)
      verifies(
        ['CLI-29', 'CLI-28'],
        `works with the official client ${name} ${statefulMode ? 'and sessions' : 'without sessions'}`,
        async () => {
          const port = await freePort();
          const resource = `http://127.0.0.1:${String(port)}/notes`;
          resources[resource] = ['notes:read', 'notes:write'];
          const { controller, connect: connectServer } = mcpEndpoint({ statefulMode });
          await startCreated(
            {
              resources: {
                resource,
                authorizationServers: [server.issuer],
                requiredScopes: ['notes:read'],
                anonymousMethods: LIFECYCLE_METHODS,
              },
            },
            { controllers: [controller, LifecycleTools], platform, port, prepare: connectServer },
          );
          const client = closeAfterTest(await connect(resource));
          expect(await client.tools()).toEqual(['list', 'whoami', 'write']);
          expect(await client.call('list')).toBe('list');
          // Nothing has asked it to sign in: it has requested no document and no page.
          expect(client.urls.filter((url) => url !== resource)).toEqual([]);
          const session = client.sessionId();
          if (!statefulMode) expect(session).toBeUndefined();
          expect(await client.call('write')).toBe('write');
          expect(client.provider.tokens()?.scope?.split(' ')).toEqual(
            expect.arrayContaining(['notes:read', 'notes:write']),
          );
          expect(await client.call('whoami')).toEqual(expect.any(String));
          expect([client.logins(), client.sessionId()]).toEqual([1, session]);
        },
      );
});
