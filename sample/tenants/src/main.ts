import { runBeside } from '../../authorization-server/src/run-beside.js';
import { startAuthorizationServer } from '../../authorization-server/src/start.js';
import { ACME, ACME_ISSUER, BETA, BETA_ISSUER } from './environment.js';
import { startTenants } from './start.js';

const scopes = ['identity:read'];

await runBeside({
  name: 'Tenants MCP server',
  scopes: { [ACME]: scopes },
  issuer: ACME_ISSUER,
  start: async (port) => {
    const ofBeta = process.env['MCP_BETA_ISSUER'] === undefined ? await startServerOfBeta() : undefined;
    const app = await startTenants(port);
    return {
      close: async () => {
        await Promise.all([app.close(), ofBeta?.close()]);
      },
    };
  },
});

function startServerOfBeta() {
  const port = Number(new URL(BETA_ISSUER).port);
  return startAuthorizationServer({
    port,
    resources: { [BETA]: scopes },
    username: 'demo',
    password: 'demo',
  });
}
