import { runBeside } from '../../authorization-server/src/run-beside.js';
import { ISSUER, RESOURCE } from './environment.js';
import { startDocumentsServer } from './start.js';

await runBeside({
  name: 'Documents MCP server',
  scopes: { [RESOURCE]: ['documents'] },
  issuer: ISSUER,
  start: startDocumentsServer,
});
