import 'reflect-metadata';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { AuthorizationServerOptions } from './authorization-server-options.js';
import { AuthorizationServerModule } from './authorization-server.module.js';

export { type AuthorizationServerOptions } from './authorization-server-options.js';

export interface RunningAuthorizationServer {
  issuer: string;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';

/**
 * The issuer contains the port and has to be known before the Nest app is built. So the port is opened
 * first, and requests are answered 503 until the app is there.
 */
export async function startAuthorizationServer(
  options: AuthorizationServerOptions,
): Promise<RunningAuthorizationServer> {
  let handler: RequestListener = (_request, response) => {
    response.writeHead(503, { 'Retry-After': '1' }).end();
  };
  const server = createServer((request, response) => {
    handler(request, response);
  });
  const issuer = `http://${HOST}:${await listen(server, options.port)}`;
  try {
    const app = await createAuthorizationServerApp(issuer, options);
    handler = app.getHttpAdapter().getInstance() as RequestListener;
    let closing: Promise<void> | undefined;
    return { issuer, close: () => (closing ??= closeServer(server).then(() => app.close())) };
  } catch (error) {
    await closeServer(server);
    throw error;
  }
}

/** The server without a port: its Nest app, for callers with a server of their own at the issuer's address. */
export async function createAuthorizationServerApp(
  issuer: string,
  options: AuthorizationServerOptions,
): Promise<INestApplication> {
  const app = await NestFactory.create(AuthorizationServerModule.forRoot({ ...options, issuer }), {
    bodyParser: false,
    abortOnError: false,
    logger: ['error', 'warn'],
  });
  enableRegistrationCors(app);
  return app.init();
}

/** oidc-provider handles CORS itself, except at the registration endpoint. */
export function enableRegistrationCors(app: INestApplication): void {
  app.enableCors((request: { url?: string }, callback: (error: null, options: object) => void) => {
    callback(null, request.url === '/reg' ? { origin: '*', methods: 'POST' } : { origin: false });
  });
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, HOST, () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}
