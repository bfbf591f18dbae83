import { startAuthorizationServer } from '../../authorization-server/src/start.js';
import { ISSUER, RESOURCE } from './environment.js';
import { startNotesServer } from './start.js';

const SCOPES = ['notes:read', 'notes:write', 'notes:admin'];
const username = process.env['AS_USERNAME'] ?? 'demo';
const password = process.env['AS_PASSWORD'] ?? 'demo';

try {
  const ownServer = process.env['MCP_ISSUER'] === undefined;
  const resources = { [RESOURCE]: SCOPES };
  const port = Number(new URL(ISSUER).port);
  const server = ownServer
    ? await startAuthorizationServer({ port, resources, username, password })
    : undefined;
  const app = await startNotesServer(Number(process.env['PORT'] ?? new URL(RESOURCE).port), [
    'log',
    'warn',
    'error',
  ]);
  console.log(`
Notes MCP server       ${RESOURCE}
Authorization server   ${ISSUER}${ownServer ? `   (sign in as ${username} / ${password})` : ''}

Connect any MCP client: give it the URL ${RESOURCE} and it finds the rest by itself.
In the MCP Inspector, choose the transport "Streamable HTTP". Or look for yourself:
  curl -i -X POST ${RESOURCE}
Stop with Ctrl-C.`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void Promise.all([app.close(), server?.close()]));
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
