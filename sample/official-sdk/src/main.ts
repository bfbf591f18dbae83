import { runBeside } from '../../authorization-server/src/run-beside.js';
import { ISSUER, RESOURCE, RESOURCE_V1 } from './environment.js';
import { startSdkServer } from './start.js';

const scopes = ['notes:read', 'notes:write'];

await runBeside({
  name: 'Notes MCP servers',
  scopes: { [RESOURCE]: scopes, [RESOURCE_V1]: scopes },
  issuer: ISSUER,
  start: startSdkServer,
});
