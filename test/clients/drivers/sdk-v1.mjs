/** The official client, version 1. `NO_REFRESH_TOKEN` keeps refresh tokens from it, which changes what it does on a 403. */
import { UnauthorizedError } from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterSignIn, createProvider, drive, endpoint } from './driver.mjs';

const authProvider = createProvider();
if (process.env['NO_REFRESH_TOKEN']) keepNoRefreshToken(authProvider);

//#region keepNoRefreshToken
function keepNoRefreshToken(provider) {
  const save = provider.saveTokens.bind(provider);
  provider.saveTokens = (tokens) => save({ ...tokens, refresh_token: undefined });
}
//#endregion keepNoRefreshToken

const transport = () => new StreamableHTTPClientTransport(new URL(endpoint), { authProvider });
let client;

async function connect() {
  const connecting = new Client({ name: 'sdk-v1', version: '1' });
  await connecting.connect(transport());
  client = connecting;
}

await drive(
  (name) =>
    afterSignIn(
      async () => {
        if (!client) await connect();
        return client.callTool({ name, arguments: {} });
      },
      (error) => error instanceof UnauthorizedError,
      () => transport().finishAuth(authProvider.takeAnswer().get('code')),
    ),
  () => client.listTools(),
);
