/** The MCP client of the AI SDK. */
import { auth, createMCPClient, UnauthorizedError } from '@ai-sdk/mcp';
import { afterSignIn, clientId, createProvider, drive, endpoint } from './driver.mjs';

const authProvider = createProvider();
// The library wants to know which authorization server a client ID is of. It keeps what it finds out itself.
let server = clientId === undefined ? undefined : JSON.parse(process.env['AUTHORIZATION_SERVER']);
authProvider.authorizationServerInformation = () => server;
authProvider.saveAuthorizationServerInformation = (found) => (server = found);
let client;

//#region connect
function connect() {
  return createMCPClient({ transport: { type: 'http', url: endpoint, authProvider } });
}

/** After the person has answered; then the call is repeated. */
async function finish() {
  const authorizationCode = authProvider.takeAnswer().get('code');
  await auth(authProvider, { serverUrl: new URL(endpoint), authorizationCode });
}
//#endregion connect

await drive(
  (name) =>
    afterSignIn(
      async () => {
        client ??= await connect();
        const tools = await client.tools();
        return tools[name].execute({}, { toolCallId: '1', messages: [] });
      },
      (error) => UnauthorizedError.isInstance?.(error) ?? error instanceof UnauthorizedError,
      finish,
    ),
  () => client.listTools(),
);
