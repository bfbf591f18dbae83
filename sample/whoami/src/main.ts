import { runBeside } from '../../authorization-server/src/run-beside.js';
import { ISSUER, RESOURCE } from './environment.js';
import { startWhoami } from './start.js';

await runBeside({
  name: 'Whoami MCP server',
  scopes: { [RESOURCE]: ['identity:read'] },
  issuer: ISSUER,
  start: startWhoami,
});
