import { runBeside } from '../../authorization-server/src/run-beside.js';
import { ISSUER, RESOURCE } from './environment.js';
import { startApiKeysServer } from './start.js';

await runBeside({
  name: 'Notes with API keys',
  scopes: { [RESOURCE]: ['notes:read', 'notes:write', 'keys:manage'] },
  issuer: ISSUER,
  start: async (port) => {
    const app = await startApiKeysServer(port);
    const create = `-d '{"scopes":["notes:read"]}' -H 'Content-Type: application/json' ${RESOURCE}/keys`;
    console.log(`Create a key with a token: curl -H 'Authorization: Bearer …' ${create}`);
    return app;
  },
});
