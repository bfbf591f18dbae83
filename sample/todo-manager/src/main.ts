import { runBeside } from '../../authorization-server/src/run-beside.js';
import { ISSUER, RESOURCE, SCOPES } from './environment.js';
import { startTodoManager } from './start.js';

await runBeside({
  name: 'Todo manager',
  scopes: { [RESOURCE]: SCOPES },
  issuer: ISSUER,
  start: startTodoManager,
});
