import { runBeside } from '../../authorization-server/src/run-beside.js';
import { API_KEY, ISSUER, RESOURCE } from './environment.js';
import { startShop } from './start.js';

await runBeside({
  name: 'Shop with MCP',
  scopes: { [RESOURCE]: ['orders:read', 'orders:cancel'] },
  issuer: ISSUER,
  start: async (port) => {
    const app = await startShop(port);
    console.log(`The REST route: curl -H "X-API-Key: ${API_KEY}" ${new URL('/api/orders', RESOURCE).href}`);
    return app;
  },
});
