import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { send } from '../fixtures/http.js';

describe('the samples as processes of their own', () => {
  let as: LoopbackAuthorizationServer;
  let staff: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const metadata = as.metadata({ introspection_endpoint: `${as.origin}/introspect` });
    as.at('/.well-known/oauth-authorization-server', metadata);
    staff = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => Promise.all([as.close(), staff.close()]));

  it.each([
    ['async-configuration', '/notes'],
    ['custom-verifier', '/notes'],
    ['existing-app', '/api/mcp', 'orders:read'],
    ['introspection', '/notes'],
    ['many-resources', '/notes'],
    ['todo-manager', '/todos', 'create:todos'],
    ['whoami', '/whoami', 'identity:read'],
    ['quickstart', '/notes'],
    ['tool-scopes', '/folders'],
    ['official-sdk', '/notes'],
  ])('%s starts, is protected, and stops', async (sample, path, scope = 'notes:read') => {
    const port = String(await freePort());
    const origin = `http://127.0.0.1:${port}`;
    const main = fileURLToPath(new URL(`../../sample/dist/${sample}/src/main.js`, import.meta.url));
    const settings = {
      MCP_RESOURCE: `${origin}${path}`,
      MCP_ISSUER: as.issuer,
      MCP_STAFF_ISSUER: staff.issuer,
      PORT: port,
    };
    const child = spawn(process.execPath, [main], { env: { ...process.env, ...settings } });
    let output = '';
    const started = new Promise<void>((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        if (output.includes('Stop with Ctrl-C.')) resolve();
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('exit', () => {
        reject(new Error(output));
      });
    });
    try {
      await started;
      expect(output).toContain(`${origin}${path}`);
      const { status, headers } = await send(origin, path, { method: 'POST', body: {} });
      expect([status, headers['www-authenticate']]).toEqual([
        401,
        `Bearer scope="${scope}", resource_metadata="${origin}/.well-known/oauth-protected-resource${path}"`,
      ]);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await once(child, 'exit')).toEqual([0, null]);
  });
});
