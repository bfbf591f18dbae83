import { runBeside } from '../../authorization-server/src/run-beside.js';
import { ISSUER, RESOURCE } from '../../quickstart/src/environment.js';
import { startLegacyNotesServer } from './start.js';

await runBeside({
  name: 'Notes MCP server',
  scopes: { [RESOURCE]: ['notes:read', 'notes:write', 'notes:admin'] },
  issuer: ISSUER,
  // Clients of MCP 2025-03-26 name no resource.
  authorizationServer: { defaultResource: RESOURCE },
  start: startLegacyNotesServer,
});
