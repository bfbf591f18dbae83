import type { IncomingMessage, Server } from 'node:http';
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

/** A program at a protected MCP server, and what both servers have seen of it. */
export interface Visit {
  readonly program: StartedProgram;
  readonly server: RecordingServer;
  /** The session of each request to the MCP server that had one. */
  readonly sessions: readonly string[];
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
  const { sessions, tokens } = recordOf(app.app.getHttpServer() as Server);
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
    sessions,
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
  const sessions: string[] = [];
  const tokens: string[] = [];
  http.on('request', ({ headers }: IncomingMessage) => {
    const token = /^Bearer (.+)$/.exec(headers.authorization ?? '')?.[1];
    if (token !== undefined) tokens.push(token);
    const session = headers['mcp-session-id'];
    if (typeof session === 'string') sessions.push(session);
  });
  return { sessions, tokens };
}
