import {
  type AuthorizationServerOptions,
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from './start.js';

/** An MCP server that runs beside the sample authorization server. */
export interface ServerBeside {
  /** What it calls itself in the terminal. */
  readonly name: string;
  /** The scopes that tokens for its resources may have; the first resource is the one to connect to. */
  readonly scopes: Readonly<Record<string, readonly string[]>>;
  readonly issuer: string;
  /** Whether it is that issuer itself. */
  readonly isIssuer?: boolean;
  /** What the sample authorization server does otherwise than by default. */
  readonly authorizationServer?: Pick<
    AuthorizationServerOptions,
    'accessTokenFormat' | 'introspectionClient' | 'defaultResource' | 'tokenExchangeClients'
  >;
  readonly start: (port: number) => Promise<{ close(): Promise<void> }>;
}

/**
 * Starts an MCP server on the port of its URL, or on PORT, and stops it with Ctrl-C. Beside it the sample authorization
 * server, unless MCP_ISSUER names another one.
 */
export async function runBeside(sample: ServerBeside): Promise<void> {
  const [resource = ''] = Object.keys(sample.scopes);
  const credentials = credentialsOfEnvironment();
  const isOurs = sample.isIssuer === true || process.env['MCP_ISSUER'] === undefined;
  try {
    const server = isOurs && sample.isIssuer !== true ? await startServerOf(sample, credentials) : undefined;
    const app = await sample.start(Number(process.env['PORT'] ?? new URL(resource).port));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => void Promise.all([app.close(), server?.close()]));
    }
    const signIn = `   (sign in as ${credentials.username} / ${credentials.password})`;
    console.log(`
${sample.name.padEnd(22)} ${Object.keys(sample.scopes).join('   ')}
Authorization server   ${sample.issuer}${isOurs ? signIn : ''}

Connect any MCP client: give it the URL ${resource} and it finds the rest by itself.
In the MCP Inspector, choose the transport "Streamable HTTP". Or look for yourself:
  curl -i -X POST ${resource}
Stop with Ctrl-C.`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

function credentialsOfEnvironment() {
  return { username: process.env['AS_USERNAME'] ?? 'demo', password: process.env['AS_PASSWORD'] ?? 'demo' };
}

function startServerOf(
  { scopes, issuer, authorizationServer }: ServerBeside,
  credentials: { username: string; password: string },
): Promise<RunningAuthorizationServer> {
  return startAuthorizationServer({
    ...authorizationServer,
    ...credentials,
    port: Number(new URL(issuer).port),
    resources: Object.fromEntries(Object.entries(scopes).map(([url, each]) => [url, [...each]])),
  });
}
