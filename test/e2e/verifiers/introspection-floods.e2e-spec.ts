import { Controller, Get, UseGuards } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';
import { describe, expect } from 'vitest';
import { BearerAuthGuard, type IntrospectionOptions } from 'nestjs-mcp-auth';
import { makeTestKey, TestAuthorizationServer, type TestClaimsOptions } from 'nestjs-mcp-auth/testing';
import { RecordingLogger, type RunningApp, start } from '../../fixtures/app.js';
import { problems } from '../../fixtures/config-problems.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const CLIENT = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };
const GOOD: TestClaimsOptions = { audience: NOTES };

const INVALID_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
  retryAfter: undefined,
};
const UNAVAILABLE = {
  status: 503,
  challenge: undefined,
  json: {
    error: 'temporarily_unavailable',
    error_description: 'The access token cannot be checked at the moment; try again later',
  },
  retryAfter: '5',
};

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list(): string[] {
    return [];
  }
}

async function startWith(
  introspection: Partial<IntrospectionOptions>,
  mode: 'introspection' | 'auto' = 'introspection',
) {
  const as = closeAfterTest(await TestAuthorizationServer.start());
  const log = new RecordingLogger();
  const server = { issuer: as.issuer, mode, introspection: { ...CLIENT, ...introspection } };
  const app = await start(
    { resources: { resource: NOTES, authorizationServers: [server] } },
    { controllers: [NotesController], log },
  );
  return { as, app, log };
}

const get = (app: RunningApp, token: string): Promise<HttpAnswer> =>
  app.send('/notes', { headers: { authorization: `Bearer ${token}` } });

const statusOf = async (app: RunningApp, token: string): Promise<number> => (await get(app, token)).status;

async function rejection(app: RunningApp, token: string): Promise<object> {
  const { status, headers, json } = await get(app, token);
  return { status, challenge: headers['www-authenticate'], json, retryAfter: headers['retry-after'] };
}

const random = (): string => randomBytes(32).toString('base64url');

describe('a flood of opaque tokens', () => {
  verifies('WAY-14', 'fills a queue of bounded length: the requests beyond it are 503 at once', async () => {
    for (const maxQueuedRequests of [0, 3]) {
      const { as, app, log } = await startWith({ maxConcurrentRequests: 2, maxQueuedRequests });
      const held: (() => void)[] = [];
      let asked = 0;
      as.serve('/introspect', (_, response) => {
        asked += 1;
        const answer = { active: true, sub: 'u', client_id: 'c', aud: NOTES };
        held.push(() => response.end(JSON.stringify(answer)));
      });
      const most = 2 + maxQueuedRequests;
      const tokens = Array.from({ length: most + 3 }, random);
      const answered: { readonly token: string; readonly answer: object }[] = [];
      const all = tokens.map(async (token) => answered.push({ token, answer: await rejection(app, token) }));
      await expect.poll(() => answered.length).toBe(3);
      expect(answered.map(({ answer }) => answer)).toEqual([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]);
      expect(asked).toBe(2);
      expect(log.warnings.join()).toContain(
        `${String(maxQueuedRequests)} others wait for their turn already ("maxQueuedRequests")`,
      );
      // A token that is asked about takes no further place.
      const waiting = tokens.find((token) => answered.every((each) => each.token !== token)) ?? '';
      const again = statusOf(app, waiting);
      expect(await rejection(app, random())).toEqual(UNAVAILABLE);
      for (let done = 0; done < most; done += 1) {
        await expect.poll(() => held.length).toBeGreaterThan(0);
        held.shift()?.();
      }
      await Promise.all(all);
      expect(answered.slice(3)).toMatchObject(
        Array.from({ length: most }, () => ({ answer: { status: 200 } })),
      );
      expect([await again, asked]).toEqual([200, most]);
      const next = statusOf(app, random());
      await expect.poll(() => held.length).toBe(1);
      held.shift()?.();
      expect(await next).toBe(200);
    }
  });

  verifies('WAY-14', 'pushes no answer about a good token out of the cache', async () => {
    const { as, app } = await startWith({ cache: { maxEntries: 20 } });
    const good = Array.from({ length: 20 }, () => as.issueOpaqueToken(GOOD));
    for (const token of good) expect(await statusOf(app, token)).toBe(200);
    const bad = Array.from({ length: 60 }, random);
    for (const token of bad) expect(await statusOf(app, token)).toBe(401);
    as.resetRequests();
    for (const token of good) expect(await statusOf(app, token)).toBe(200);
    // The last of the bad ones are kept as well, and the first are not.
    for (const token of bad.slice(-20)) expect(await statusOf(app, token)).toBe(401);
    expect(as.requestCount('introspection')).toBe(0);
    expect(await statusOf(app, bad[0] ?? '')).toBe(401);
    expect(as.requestCount('introspection')).toBe(1);
  });

  verifies('WAY-14', 'gets 401 without a request if the tokens have another form', async () => {
    const opaqueTokenPattern = /^at_[\w-]{43}$/;
    for (const mode of ['introspection', 'auto'] as const) {
      const { as, app, log } = await startWith({ opaqueTokenPattern }, mode);
      const { privateKey } = await makeTestKey('ES256');
      const forged = await new SignJWT({ iss: as.issuer, aud: NOTES, sub: 'u', exp: 4e9 })
        .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
        .sign(privateKey);
      const right = `at_${random()}`;
      const others = [random(), `${right}x`, right.slice(0, -1), `xat_${random()}`, right.toUpperCase()];
      for (const token of [...others, forged, `${forged}.a.b`, 'a.b.c']) {
        expect([mode, token, await rejection(app, token)]).toEqual([mode, token, INVALID_TOKEN]);
      }
      expect(as.requestCount('introspection')).toBe(0);
      // A token of the right form is asked about each time: the pattern has no state.
      for (let time = 1; time <= 3; time += 1) {
        expect(await rejection(app, right)).toEqual(INVALID_TOKEN);
        expect(as.requestCount('introspection')).toBe(time);
      }
      as.serve('/introspect', { active: true, sub: 'u', client_id: 'c', aud: NOTES });
      expect(await statusOf(app, right)).toBe(200);
      // A JWT is no opaque token where it is verified by keys.
      const jwt = await as.issueToken(GOOD);
      expect([mode, await statusOf(app, jwt)]).toEqual([mode, mode === 'auto' ? 200 : 401]);
      expect([log.warnings, log.errors]).toEqual([[], []]);
    }
  });

  verifies('WAY-14', 'is bounded by options that are checked at boot', async () => {
    const withIntrospection = (introspection: object): Promise<string> =>
      problems({
        resources: {
          resource: NOTES,
          authorizationServers: [
            { issuer: 'https://as.example', introspection: { ...CLIENT, ...introspection } },
          ],
        },
      });
    const path = 'resources[0].authorizationServers[0].introspection';
    for (const opaqueTokenPattern of [/^a$/g, /^a$/y, /^a$/gi]) {
      expect(await withIntrospection({ opaqueTokenPattern })).toContain(
        `${path}.opaqueTokenPattern: must be a RegExp without the flags "g" and "y"`,
      );
    }
    for (const opaqueTokenPattern of ['^a$', {}, () => true, null]) {
      expect(await withIntrospection({ opaqueTokenPattern })).toContain(
        `${path}.opaqueTokenPattern: must be a RegExp`,
      );
    }
    for (const maxQueuedRequests of [-1, 0.5, 100_001, Infinity, '1']) {
      expect(await withIntrospection({ maxQueuedRequests })).toContain(
        `${path}.maxQueuedRequests: must be a whole number of requests from 0 to 100000`,
      );
    }
  });
});
