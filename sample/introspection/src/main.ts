import { runBeside } from '../../authorization-server/src/run-beside.js';
import { CLIENT, ISSUER, RESOURCE } from './environment.js';
import { startOpaqueServer } from './start.js';

await runBeside({
  name: 'Notes MCP server',
  scopes: { [RESOURCE]: ['notes:read', 'notes:admin'] },
  issuer: ISSUER,
  authorizationServer: { accessTokenFormat: 'opaque', introspectionClient: CLIENT },
  start: startOpaqueServer,
});
