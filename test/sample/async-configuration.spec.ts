import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { INestApplication } from '@nestjs/common';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { send } from '../fixtures/http.js';
import { verifies } from '../verifies.js';

const LIB = new URL('../../lib/', import.meta.url);
const MAIN = fileURLToPath(new URL('../../sample/dist/async-configuration/src/main.js', import.meta.url));
const GOOD = { MCP_RESOURCE: 'http://127.0.0.1:3000/notes', MCP_ISSUER: 'https://auth.example.com' };

interface Ended {
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the sample with these variables alone until it ends. */
function run(variables: Record<string, string>): Promise<Ended> {
  return new Promise((resolve) => {
    const options = { env: { PATH: process.env['PATH'], ...variables }, timeout: 20_000 };
    const child = execFile(process.execPath, [MAIN], options, (_error, stdout, stderr) => {
      resolve({ code: child.exitCode ?? undefined, stdout, stderr });
    });
  });
}

const lastWords = ({ stderr }: Ended, lines: number): string =>
  stderr
    .split('\n')
    .slice(-lines - 1)
    .join('\n');

describe('sample/async-configuration', () => {
  describe('started with a good environment', () => {
    let as: TestAuthorizationServer;
    let app: INestApplication;
    let resource: string;
    let origin: string;

    beforeAll(async () => {
      as = await TestAuthorizationServer.start();
      const port = await freePort();
      origin = `http://127.0.0.1:${String(port)}`;
      resource = `${origin}/notes`;
      Object.assign(process.env, {
        MCP_RESOURCE: resource,
        MCP_ISSUER: as.issuer,
        MCP_ALLOWED_ORIGINS: 'https://a.example.com, https://b.example.com',
        MCP_CLOCK_TOLERANCE_SECONDS: '60',
        PORT: String(port),
      });
      const { startConfiguredServer } = await import('../../sample/async-configuration/src/start.js');
      const running = await startConfiguredServer();
      app = running.app;
      expect(running.resource).toBe(resource);
    });

    afterAll(async () => {
      await app.close();
      await as.close();
    });

    const list = async (claims: object = {}, headers: Record<string, string> = {}) => {
      const token = await as.issueToken({ audience: resource, scopes: ['notes:read'], ...claims });
      return send(origin, '/notes', {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, ...headers },
        body: { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'list_notes', arguments: {} } },
      });
    };

    verifies('F124', 'trusts the issuer of the environment for the resource of the environment', async () => {
      const { text } = await list();
      expect(text).toContain('Settings come from the environment');
      const { status, headers, json } = await list({ audience: `${resource}2` });
      expect([status, headers['www-authenticate'], json]).toEqual([
        401,
        'Bearer error="invalid_token", scope="notes:read", ' +
          `resource_metadata="${origin}/.well-known/oauth-protected-resource/notes", ` +
          'error_description="The access token is invalid or expired"',
        { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
      ]);
      const other = await TestAuthorizationServer.start();
      expect((await list({ claims: { iss: other.issuer } })).status).toBe(401);
      await other.close();
    });

    verifies('F124', 'takes lists and numbers from text', async () => {
      for (const allowed of ['https://a.example.com', 'https://b.example.com']) {
        expect((await list({}, { origin: allowed })).status).toBe(200);
      }
      expect((await list({}, { origin: 'https://c.example.com' })).status).toBe(403);
      expect((await list({ expiresInSeconds: -40 })).status).toBe(200);
      expect((await list({ expiresInSeconds: -80 })).status).toBe(401);
    });
  });

  verifies(
    'F124',
    'with a wrong environment nothing starts, and all that is wrong is said at once',
    async () => {
      const [empty, wrong, meaningless] = await Promise.all([
        run({ MCP_RESOURCE: '', PORT: '3000x' }),
        run({ ...GOOD, MCP_CLOCK_TOLERANCE_SECONDS: '-1' }),
        run({ ...GOOD, MCP_RESOURCE: 'http://api.example.com/notes', MCP_CLOCK_TOLERANCE_SECONDS: '301' }),
      ]);
      const intro = 'The environment is not as it should be:';
      const words = `${intro}\n  MCP_RESOURCE is empty\n  MCP_ISSUER is missing\n  PORT must be a whole number\n`;
      expect(empty).toMatchObject({ code: 1, stdout: '' });
      expect(lastWords(empty, 4)).toBe(words);
      expect(wrong).toMatchObject({ code: 1, stdout: '' });
      expect(lastWords(wrong, 2)).toBe(`${intro}\n  MCP_CLOCK_TOLERANCE_SECONDS must be a whole number\n`);
      expect(meaningless).toMatchObject({ code: 1, stdout: '' });
      expect(lastWords(meaningless, 3)).toBe(
        'McpAuthModule has 2 problems:\n' +
          '  - resources[0].resource: uses http for another machine; use https; got "http://api.example.com/notes"\n' +
          '  - clockToleranceSeconds: must be a whole number of seconds from 0 to 300; got 301\n',
      );
    },
  );

  it('leaves the library without environment variables of its own', () => {
    const sources = readdirSync(LIB, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /(?<!\.spec)\.ts$/.test(name),
    );
    const reads = sources.flatMap((name) => {
      const found = readFileSync(new URL(name, LIB), 'utf8').match(/process\.env\b(\['\w+'\])?/g) ?? [];
      return found.map((read) => `${name.split('/')[0] ?? ''} ${read}`);
    });
    expect(new Set(reads)).toEqual(
      new Set(["options process.env['NODE_ENV']", "testing process.env['NODE_ENV']"]),
    );
  });
});
