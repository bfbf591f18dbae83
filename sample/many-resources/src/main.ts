import { runBeside } from '../../authorization-server/src/run-beside.js';
import { startAuthorizationServer } from '../../authorization-server/src/start.js';
import { CUSTOMERS, NOTES, REPORTS, STAFF } from './environment.js';
import { startResources } from './start.js';

const notes = ['notes:read', 'notes:write'];

await runBeside({
  name: 'Notes MCP server',
  scopes: { [NOTES]: notes },
  issuer: CUSTOMERS,
  start: async (port) => {
    const staff = process.env['MCP_STAFF_ISSUER'] === undefined ? await startStaffServer() : undefined;
    const app = await startResources(port);
    return {
      close: async () => {
        await Promise.all([app.close(), staff?.close()]);
      },
    };
  },
});

function startStaffServer() {
  const resources = { [NOTES]: notes, [REPORTS]: ['reports:read'] };
  const port = Number(new URL(STAFF).port);
  return startAuthorizationServer({ port, resources, username: 'demo', password: 'demo' });
}
