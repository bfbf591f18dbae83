import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect } from 'vitest';
import { ResourceTokenVerifier, TokenRejectedError } from 'nestjs-mcp-auth';
import { makeTestKey } from 'nestjs-mcp-auth/testing';
import { SignJWT } from 'jose';
import { TestClock } from '../../fixtures/clock.js';
import { rejectedAs, UNAVAILABLE } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import {
  FOR_NOTES,
  issuerServer,
  knowing,
  LOCAL_NOTES,
  type ResolvingApp,
  startResolving,
} from '../../fixtures/resolving-app.js';
import { verifies } from '../../verifies.js';

const encode = (data: object): string => Buffer.from(JSON.stringify(data)).toString('base64url');
const HEADER = encode({ alg: 'ES256', kid: 'k', typ: 'at+jwt' });

/** A token that anyone can make: its signature is none. */
const invented = (iss: string): string => `${HEADER}.${encode({ iss, aud: LOCAL_NOTES })}.AAAA`;

/** Verifies tokens without HTTP, and counts the reasons of the rejections. */
async function tell(app: ResolvingApp, tokens: readonly string[]): Promise<Record<string, number>> {
  const verifier = app.app.get(ResourceTokenVerifier, { strict: false });
  const counts: Record<string, number> = {};
  for (const token of tokens) {
    const told = await verifier.verifyAccessToken(token).then(
      () => 'accepted',
      (error: unknown) => {
        const { cause } = error as Error;
        return cause instanceof TokenRejectedError ? cause.reason : (error as Error).name;
      },
    );
    counts[told] = (counts[told] ?? 0) + 1;
  }
  return counts;
}

describe('authorizationServerResolver under load', () => {
  verifies(
    'TEN-08',
    'a flood of invented issuers costs no fetch, and known issuers are served meanwhile',
    async () => {
      const clock = new TestClock();
      clock.stop();
      const as = await issuerServer(clock);
      const { asked, resolve } = knowing([as]);
      let fetches = 0;
      const fetch: typeof globalThis.fetch = (...request) => {
        fetches += 1;
        return globalThis.fetch(...request);
      };
      const app = await startResolving(resolve, clock, { module: { fetch } });
      const good = await as.issueToken(FOR_NOTES);
      expect((await app.ask(good)).status).toBe(200);
      expect([fetches, asked.length]).toEqual([2, 1]);

      const flood = Array.from({ length: 20_000 }, (_, at) => invented(`https://i${String(at)}.example`));
      expect(await tell(app, flood)).toEqual({ issuer: 1999, AuthorizationServerUnavailableError: 18_001 });
      expect([fetches, asked.length]).toEqual([2, 2000]);
      // The first ones are remembered as unknown. Others cannot be told now.
      expect(await tell(app, flood.slice(0, 1999))).toEqual({ issuer: 1999 });
      expect(rejectedAs(await app.ask(flood.at(-1) ?? ''))).toEqual(UNAVAILABLE);
      expect((await app.ask(await as.issueToken(FOR_NOTES))).status).toBe(200);

      for (let rounds = 0; rounds < 6; rounds += 1) {
        clock.forward(10);
        expect(await tell(app, flood.slice(2000 * (rounds + 1), 2000 * (rounds + 2)))).toEqual({
          issuer: 2000,
        });
      }
      clock.forward(530);
      expect(await tell(app, flood.slice(0, 2000))).toEqual({ issuer: 2000 });
      // The known issuer has to be asked for again, and the calls of the flood do not count for it.
      expect((await app.ask(await as.issueToken(FOR_NOTES))).status).toBe(200);
      expect(asked.filter((issuer) => issuer === as.issuer)).toHaveLength(2);
      expect([fetches <= 4, as.requestCount('metadata')]).toEqual([true, 1]);
    },
  );

  verifies(
    'TEN-08',
    'a resolver that trusts any issuer makes at most 1,000 servers in 10 seconds',
    async () => {
      const clock = new TestClock();
      clock.stop();
      const as = await issuerServer(clock);
      const dead: string[] = [];
      const fetch: typeof globalThis.fetch = (url, ...more) => {
        if (String(url).startsWith(as.issuer)) return globalThis.fetch(url, ...more);
        dead.push(String(url));
        return Promise.resolve(new Response('', { status: 404 }));
      };
      const app = await startResolving((issuer) => ({ issuer }), clock, { module: { fetch } });
      expect((await app.ask(await as.issueToken(FOR_NOTES))).status).toBe(200);
      const flood = Array.from({ length: 3000 }, (_, at) => invented(`https://i${String(at)}.example`));
      expect(await tell(app, flood)).toEqual({ AuthorizationServerUnavailableError: 3000 });
      expect(new Set(dead.map((url) => new URL(url).host)).size).toBe(999);
      expect((await app.ask(await as.issueToken(FOR_NOTES))).status).toBe(200);
      expect(as.requestCount('metadata')).toBe(1);
    },
  );

  verifies('TEN-09', 'first requests of 1,000 issuers at once cause 1,000 discoveries', async () => {
    const clock = new TestClock();
    const key = await makeTestKey('ES256');
    const paths: string[] = [];
    let origin = '';
    const listener = createServer(({ url = '' }, response) => {
      paths.push(url);
      const issuer = `${origin}${url.replace('/.well-known/oauth-authorization-server', '')}`;
      const body = url === '/jwks' ? { keys: [key.publicJwk] } : { issuer, jwks_uri: `${origin}/jwks` };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    closeAfterTest({
      close: async () => {
        listener.closeAllConnections();
        await new Promise((resolve) => listener.close(resolve));
      },
    });
    origin = `http://127.0.0.1:${String((listener.address() as AddressInfo).port)}`;
    const issuers = Array.from({ length: 1000 }, (_, at) => `${origin}/t${String(at)}`);
    const { asked, resolve } = knowing(issuers.map((issuer) => ({ issuer })));
    const app = await startResolving(resolve, clock, {
      module: { verifierTimeoutMs: 60_000, discoveryTimeoutMs: 30_000 },
    });
    const tokens = await Promise.all(
      issuers.map((issuer) =>
        new SignJWT({ iss: issuer, sub: 'u', client_id: 'c', aud: LOCAL_NOTES })
          .setProtectedHeader({ alg: 'ES256', kid: key.kid, typ: 'at+jwt' })
          .setExpirationTime('5m')
          .sign(key.privateKey),
      ),
    );
    const verifier = app.app.get(ResourceTokenVerifier, { strict: false });
    const twice = [...tokens, ...tokens];
    const callers = await Promise.all(twice.map((token) => verifier.verifyAccessToken(token)));
    expect(callers.map(({ issuer }) => issuer)).toEqual([...issuers, ...issuers]);
    const discoveries = paths.filter((path) => path !== '/jwks');
    expect([asked.length, discoveries.length, new Set(discoveries).size]).toEqual([1000, 1000, 1000]);
    expect(paths.length - discoveries.length).toBe(1000);
  });
});
