import { startAuthorizationServer } from '../../authorization-server/src/start.js';
import { startNotesServer } from '../../quickstart/src/start.js';
import { Demo, type DemoServers } from './demo.js';
import { freePort } from './free-port.js';
import { Trace } from './trace.js';

const SCOPES = ['notes:read', 'notes:write', 'notes:admin'];

/** Starts both servers on free ports of loopback, and tells what must be stopped in the end. */
async function startServers(): Promise<DemoServers & { close(): Promise<void> }> {
  const port = await freePort();
  const resource = `http://127.0.0.1:${String(port)}/notes`;
  const otherResource = `http://127.0.0.1:${String(port)}/other`;
  const resources = { [resource]: SCOPES, [otherResource]: SCOPES };
  const server = await startAuthorizationServer({ port: 0, resources, username: 'demo', password: 'demo' });
  process.env['MCP_RESOURCE'] = resource;
  process.env['MCP_ISSUER'] = server.issuer;
  const app = await startNotesServer(port);
  const close = async (): Promise<void> => {
    await app.close();
    await server.close();
  };
  return { resource, otherResource, issuer: server.issuer, close };
}

const print = (line: string): void => {
  console.log(line);
};
const failures: string[] = [];
const check = (claim: string, holds: boolean): void => {
  print(`      ${holds ? 'ok' : 'NOT OK'}: ${claim}`);
  if (!holds) failures.push(claim);
};

const servers = await startServers();
print(`Notes MCP server       ${servers.resource}`);
print(`Authorization server   ${servers.issuer}`);
try {
  const demo = new Demo(servers, new Trace(print), check, (text) => {
    print(`\n${text}`);
  });
  await demo.run();
} catch (error) {
  failures.push(error instanceof Error ? (error.stack ?? error.message) : String(error));
} finally {
  await servers.close();
}
print(
  failures.length === 0 ? '\nEvery step was as it must be.' : `\nThe demo failed:\n${failures.join('\n')}`,
);
process.exitCode = failures.length === 0 ? 0 : 1;
