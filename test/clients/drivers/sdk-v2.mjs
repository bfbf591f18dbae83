/** The official client, version 2. It speaks MCP 2026-07-28 to servers that do. */
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { afterSignIn, createProvider, drive, endpoint } from './driver.mjs';

const authProvider = createProvider();
let client;

//#region connect
async function connect() {
  const connecting = new Client({ name: 'notes', version: '1' }, { versionNegotiation: { mode: 'auto' } });
  await connecting.connect(new StreamableHTTPClientTransport(new URL(endpoint), { authProvider }));
  client = connecting;
}
//#endregion connect

await drive(
  (name) =>
    afterSignIn(
      async () => {
        if (!client) await connect();
        return client.callTool({ name, arguments: {} });
      },
      (error) => error instanceof UnauthorizedError,
      () =>
        new StreamableHTTPClientTransport(new URL(endpoint), { authProvider }).finishAuth(
          authProvider.takeAnswer(),
        ),
    ),
  () => client.listTools(),
);
