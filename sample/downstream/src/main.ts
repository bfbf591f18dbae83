import { runBeside } from '../../authorization-server/src/run-beside.js';
import { CLIENT, ISSUER, ORDERS, RESOURCE } from './environment.js';
import { startShop } from './start.js';

await runBeside({
  name: 'Shop MCP server',
  scopes: { [RESOURCE]: ['shop:use'], [ORDERS]: ['orders:read'] },
  issuer: ISSUER,
  authorizationServer: { tokenExchangeClients: [{ ...CLIENT, resource: RESOURCE, targets: [ORDERS] }] },
  start: startShop,
});
