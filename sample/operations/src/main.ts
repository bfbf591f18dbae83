import { runBeside } from '../../authorization-server/src/run-beside.js';
import { CLIENT, ISSUER, RESOURCE } from './environment.js';
import { startOpenTelemetry } from './opentelemetry.js';

// First of all, so that it patches `node:http` before Nest uses it.
const telemetry = startOpenTelemetry();
const { startOperationsServer } = await import('./start.js');

await runBeside({
  name: 'Notes MCP server',
  scopes: { [RESOURCE]: ['notes:read', 'notes:write'] },
  issuer: ISSUER,
  authorizationServer: { introspectionClient: CLIENT },
  start: async (port) => {
    const app = await startOperationsServer(port);
    return {
      close: async () => {
        await app.close();
        await telemetry.stop();
      },
    };
  },
});
