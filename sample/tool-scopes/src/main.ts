import { runBeside } from '../../authorization-server/src/run-beside.js';
import { ISSUER, RESOURCE, SCOPES } from './environment.js';
import { startFoldersServer } from './start.js';

await runBeside({
  name: 'Folders MCP server',
  scopes: { [RESOURCE]: SCOPES },
  issuer: ISSUER,
  start: startFoldersServer,
});
