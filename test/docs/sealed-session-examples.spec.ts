import { randomBytes } from 'node:crypto';
import { describe, expect } from 'vitest';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { type RunningApp, start } from '../fixtures/app.js';
import { listing, problems } from '../fixtures/config-problems.js';
import type { HttpAnswer } from '../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS, toolCall } from '../fixtures/mcp-endpoint.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';
import { sharedTransport } from '../fixtures/shared-sessions.js';
import { verifies } from '../verifies.js';
import { optionsFrom } from './sealed-session-examples.js';

describe('the example of sealed session ids in the documents', () => {
  verifies(['SES-31', 'SES-32'], 'goes on with a session at other processes, for its caller', async () => {
    const as = closeAfterTest(await TestAuthorizationServer.start());
    const [old, next] = [randomBytes(32).toString('base64'), randomBytes(32).toString('base64')];
    const sessions = new Set<string>();
    const startWith = (current: string, other?: string) => {
      const env = { ISSUER: as.issuer, SESSION_SECRET: current, OTHER_SESSION_SECRET: other };
      return start(optionsFrom(env), { controllers: [sharedTransport({ sessions })] });
    };
    const ask = async (app: RunningApp, sub: string, body: object, session = ''): Promise<HttpAnswer> => {
      const bearer = await as.issueToken({ audience: NOTES, sub });
      const headers = { ...MCP_HEADERS, authorization: `Bearer ${bearer}`, 'mcp-session-id': session };
      return app.send('/notes', { method: 'POST', headers, body });
    };
    // The steps of the page: each process of a step accepts the codes of the step before.
    const steps: readonly (readonly [string, string?])[] = [[old], [old, next], [next, old], [next]];
    let session = '';
    for (const step of steps) {
      const app = await startWith(...step);
      const used = await ask(app, 'u1', session === '' ? INITIALIZE : toolCall('x'), session);
      expect(used.status).toBe(200);
      session = String(used.headers['mcp-session-id']);
      expect((await ask(app, 'u2', toolCall('x'), session)).status).toBe(404);
    }
  });

  verifies('SES-35', 'does not start without a secret', async () => {
    const problem = 'must be text of at least 43 characters, such as 32 random bytes in base64url';
    expect(await problems(optionsFrom({ ISSUER: 'https://auth.example.com' }))).toBe(
      listing(`sessionBinding.secrets: member 0 ${problem}; got a list of 1`),
    );
  });
});
