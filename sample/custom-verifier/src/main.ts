import { runBeside } from '../../authorization-server/src/run-beside.js';
import { AccessKeys } from './access-keys.js';
import { EXPORT, ISSUER, NOTES, PARTNER_KEY } from './environment.js';
import { startKeysServer } from './start.js';

await runBeside({
  name: 'Notes MCP server',
  scopes: { [NOTES]: ['notes:read', 'notes:admin'] },
  issuer: ISSUER,
  start: async (port) => {
    const app = await startKeysServer(port);
    const expiresAt = Math.floor(Date.now() / 1000) + 3600;
    const key = app
      .get(AccessKeys)
      .create({ owner: 'demo', resource: NOTES, scopes: ['notes:read'], expiresAt });
    console.log(`An access key for an hour  ${key}`);
    console.log(`The partner's              ${PARTNER_KEY}   (curl -H "Authorization: Bearer …" ${EXPORT})`);
    return app;
  },
});
