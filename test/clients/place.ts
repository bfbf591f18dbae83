import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import type { Platform } from '../fixtures/app.js';
import { CREDENTIALS } from '../fixtures/official-clients.js';
import { startTransport } from '../fixtures/transport-operations.js';
import { TRANSPORTS } from '../fixtures/transports.js';
import type { ClientProgram, StartedProgram } from './programs.js';
import { CLIENT_METADATA_URL, type RecordingServer, startRecordingServer } from './recording-server.js';

/** A way to deploy a protected MCP server. */
export interface Deployment {
  readonly name: string;
  readonly transport: string;
  readonly platform: Platform;
}

export const MCP_NEST: Deployment = {
  name: '@rekog/mcp-nest on Express',
  transport: 'mcp-nest own controller',
  platform: 'express',
};

export const SDK: Deployment = {
  name: 'the official SDK with sessions on Fastify',
  transport: 'SDK v1 stateful',
  platform: 'fastify',
};

/** What the tools of the deployments need: "list" the first, "write" the second as well, "purge" the third as well. */
const SCOPES = ['notes:read', 'notes:write', 'notes:admin'];

/** How an authorization server gets to know a client. */
export type Registration = 'dynamic' | 'static' | 'document';

/** What the MCP server has answered. */
export interface McpAnswer {
  readonly status: number;
  readonly challenge: string | undefined;
  /** The session of the request. */
  readonly session: string | undefined;
}

/** A program at a protected MCP server, and what both servers have seen of it. */
export interface Visit {
  readonly program: StartedProgram;
  readonly server: RecordingServer;
  readonly answers: readonly McpAnswer[];
  /** Makes the newest access token that the program has used a bad one. */
  revoke(): void;
  close(): Promise<void>;
}

/** Starts both servers and the program. */
export async function visit(
  program: ClientProgram,
  deployment: Deployment,
  registration: Registration = 'dynamic',
): Promise<Visit> {
  const [port, callbackPort] = [await freePort(), await freePort()];
  const resource = `http://127.0.0.1:${String(port)}/notes`;
  const redirectUri = `http://127.0.0.1:${String(callbackPort)}${program.callbackPath}`;
  const server = await startRecordingServer({
    resources: { [resource]: SCOPES },
    ...CREDENTIALS,
    registration: registration === 'dynamic',
    ...(registration === 'static' && { clients: [{ clientId: 'known', redirectUris: [redirectUri] }] }),
    ...(registration === 'document' && { documentRedirectUri: redirectUri }),
  });
  const revoked = new Set<unknown>();
  const transport = TRANSPORTS.find(({ name }) => name === deployment.transport);
  if (!transport) throw new Error(`no transport is named ${deployment.transport}`);
  const app = await startTransport({ issuer: server.issuer, port }, transport, deployment.platform, {
    resources: {
      resource,
      authorizationServers: [server.issuer],
      requiredScopes: ['notes:read'],
      // Clients that ask for all of these at once have to step up for "purge" only.
      scopesSupported: ['notes:read', 'notes:write'],
    },
    isRevoked: ({ jti }) => revoked.has(jti),
  });
  const { answers, tokens } = recordOf(app.app.getHttpServer() as Server);
  const home = mkdtempSync(join(tmpdir(), 'client-'));
  const started = await program.start({
    endpoint: resource,
    issuer: server.issuer,
    home,
    person: new Person(CREDENTIALS),
    port: callbackPort,
    clientId: registration === 'static' ? 'known' : undefined,
    clientMetadataUrl: registration === 'document' ? CLIENT_METADATA_URL : undefined,
  });
  return {
    program: started,
    server,
    answers,
    revoke: () => revoked.add(decodeJwt(tokens.at(-1) ?? '').jti),
    close: async () => {
      await started.close();
      await app.close();
      await server.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function recordOf(http: Server) {
  const answers: McpAnswer[] = [];
  const tokens: string[] = [];
  http.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.method !== 'POST') return;
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token !== undefined) tokens.push(token);
    response.on('finish', () => {
      const session = request.headers['mcp-session-id'];
      answers.push({
        status: response.statusCode,
        challenge: response.getHeader('www-authenticate') as string | undefined,
        session: typeof session === 'string' ? session : undefined,
      });
    });
  });
  return { answers, tokens };
}
