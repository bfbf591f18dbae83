import { runBeside } from '../../authorization-server/src/run-beside.js';
import { ISSUER, RESOURCE } from './environment.js';
import { startCustomers } from './start.js';

await runBeside({
  name: 'Customers MCP server',
  scopes: { [RESOURCE]: ['identity:read'] },
  issuer: ISSUER,
  start: startCustomers,
});
