import { describe, expect } from 'vitest';
import { ResourceTokenVerifier } from 'nestjs-mcp-auth';
import { makeTestKey } from 'nestjs-mcp-auth/testing';
import { SignJWT } from 'jose';
import { rejectionReason } from '../../../lib/errors/rejection-reason.js';
import { AccessTokenAuthenticator } from '../../../lib/request/access-token.authenticator.js';
import { ProtectedResourceRegistry } from '../../../lib/resource/protected-resource.registry.js';
import { TestClock } from '../../fixtures/clock.js';
import { rejectedAs, UNAVAILABLE } from '../../fixtures/notes-rejections.js';
import {
  FOR_NOTES,
  issuerServer,
  knowing,
  LOCAL_INVALID,
  LOCAL_NOTES,
  startResolving,
} from '../../fixtures/resolving-app.js';
import { verifies } from '../../verifies.js';

const encode = (data: object): string => Buffer.from(JSON.stringify(data)).toString('base64url');
const HEADER = encode({ alg: 'ES256', kid: 'k', typ: 'at+jwt' });

/** A token that anyone can make: its signature is none. */
const invented = (iss: string): string => `${HEADER}.${encode({ iss, aud: LOCAL_NOTES })}.AAAA`;

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
      const flood = Array.from({ length: 3000 }, (_, at) => invented(`https://i${String(at)}.example`));
      const tokens = app.app.get(AccessTokenAuthenticator, { strict: false });
      const resource = app.app.get(ProtectedResourceRegistry, { strict: false }).first();
      const reasons: Record<string, number> = {};
      for (const token of flood) {
        const reason = await Promise.resolve()
          .then(() => tokens.authenticate(token, resource))
          .then(
            () => 'accepted',
            (error: unknown) => String(rejectionReason(error)),
          );
        reasons[reason] = (reasons[reason] ?? 0) + 1;
      }
      expect(reasons).toEqual({ issuer: 1999, unavailable: 1001 });
      expect([fetches, asked.length]).toEqual([2, 2000]);
      // The first ones are remembered as unknown. Others cannot be told now.
      expect(rejectedAs(await app.ask(flood[0] ?? ''))).toEqual(LOCAL_INVALID);
      expect(rejectedAs(await app.ask(flood.at(-1) ?? ''))).toEqual(UNAVAILABLE);
      expect((await app.ask(await as.issueToken(FOR_NOTES))).status).toBe(200);
      clock.forward(10);
      expect(rejectedAs(await app.ask(flood.at(-1) ?? ''))).toEqual(LOCAL_INVALID);
      expect([fetches, asked.length]).toEqual([2, 2001]);
    },
  );

  verifies('TEN-09', 'first requests of 1,000 issuers at once cause 1,000 discoveries', async () => {
    const clock = new TestClock();
    const key = await makeTestKey('ES256');
    const paths: string[] = [];
    // Without sockets, so that no time limit of a fetch depends on the speed of the machine.
    const fetch = (address: string): Promise<Response> => {
      const { origin, pathname } = new URL(address);
      paths.push(pathname);
      const issuer = `${origin}${pathname.replace('/.well-known/oauth-authorization-server', '')}`;
      const keys = { keys: [key.publicJwk] };
      return Promise.resolve(
        Response.json(pathname === '/jwks' ? keys : { issuer, jwks_uri: `${origin}/jwks` }),
      );
    };
    const issuers = Array.from({ length: 1000 }, (_, at) => `https://login.example/t${String(at)}`);
    const { asked, resolve } = knowing(issuers.map((issuer) => ({ issuer })));
    const module = { fetch: fetch as typeof globalThis.fetch, verifierTimeoutMs: 60_000 };
    const app = await startResolving(resolve, clock, { module });
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
