import { runBeside } from '../../authorization-server/src/run-beside.js';
import { ISSUER, RESOURCE, SCOPES } from './environment.js';
import { startArticlesServer } from './start.js';

await runBeside({
  name: 'Articles MCP server',
  scopes: { [RESOURCE]: SCOPES },
  issuer: ISSUER,
  start: startArticlesServer,
});
