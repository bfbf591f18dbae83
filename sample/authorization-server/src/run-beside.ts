import { type AuthorizationServerOptions, startAuthorizationServer } from './start.js';

/** An MCP server that runs beside the sample authorization server. */
export interface ServerBeside {
  /** What it calls itself in the terminal. */
  readonly name: string;
  /** The scopes that tokens for its resources may have; the first resource is the one to connect to. */
  readonly scopes: Readonly<Record<string, readonly string[]>>;
  readonly issuer: string;
  /** What the sample authorization server does otherwise than by default. */
  readonly authorizationServer?: Pick<
    AuthorizationServerOptions,
    'accessTokenFormat' | 'introspectionClient'
  >;
  readonly start: (port: number) => Promise<{ close(): Promise<void> }>;
}

/**
 * Starts an MCP server on the port of its URL, or on PORT, and stops it with Ctrl-C. Beside it the sample authorization
 * server, unless MCP_ISSUER names another one.
 */
export async function runBeside({
  name,
  scopes,
  issuer,
  authorizationServer,
  start,
}: ServerBeside): Promise<void> {
  const [resource = ''] = Object.keys(scopes);
  const username = process.env['AS_USERNAME'] ?? 'demo';
  const password = process.env['AS_PASSWORD'] ?? 'demo';
  try {
    const ownServer = process.env['MCP_ISSUER'] === undefined;
    const resources = Object.fromEntries(Object.entries(scopes).map(([url, each]) => [url, [...each]]));
    const port = Number(new URL(issuer).port);
    const server = ownServer
      ? await startAuthorizationServer({ ...authorizationServer, port, resources, username, password })
      : undefined;
    const app = await start(Number(process.env['PORT'] ?? new URL(resource).port));
    console.log(`
${name.padEnd(22)} ${Object.keys(scopes).join('   ')}
Authorization server   ${issuer}${ownServer ? `   (sign in as ${username} / ${password})` : ''}

Connect any MCP client: give it the URL ${resource} and it finds the rest by itself.
In the MCP Inspector, choose the transport "Streamable HTTP". Or look for yourself:
  curl -i -X POST ${resource}
Stop with Ctrl-C.`);
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void Promise.all([app.close(), server?.close()]));
    }
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}
