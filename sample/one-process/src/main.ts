import { runBeside } from '../../authorization-server/src/run-beside.js';
import { ISSUER, RESOURCE } from './environment.js';
import { startOneProcess } from './start.js';

await runBeside({
  name: 'Notes MCP server',
  scopes: { [RESOURCE]: ['notes:read', 'notes:write', 'notes:admin'] },
  issuer: ISSUER,
  isIssuer: true,
  start: startOneProcess,
});
