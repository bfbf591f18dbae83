import { randomBytes } from 'node:crypto';
import { auth } from '@modelcontextprotocol/client';
import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { calculateThumbprint, generateKeyPair, generateProof } from 'dpop';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { Person } from '../../sample/demo/src/person.js';
import { CREDENTIALS } from '../fixtures/official-clients.js';
import { closeAfterTest } from '../fixtures/opened.js';
import type * as Examples from './dpop-examples.js';

const resource = 'https://api.example.com/notes';

describe('the examples of DPoP', () => {
  let as: TestAuthorizationServer;
  let examples: typeof Examples;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    const secret = (): string => randomBytes(32).toString('base64url');
    Object.assign(process.env, {
      MCP_ISSUER: as.issuer,
      MCP_DPOP_SECRET: secret(),
      MCP_DPOP_OLD_SECRET: secret(),
    });
    examples = await import('./dpop-examples.js');
  });

  afterAll(() => as.close());

  async function urlOf(module: Type): Promise<string> {
    const app = closeAfterTest(await NestFactory.create(module, { logger: false }));
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  }

  it('accept bound tokens beside bearer tokens, and know which is which', async () => {
    const origin = await urlOf(examples.AppModule);
    //#region bound
    const pair = await generateKeyPair('ES256');
    const jkt = await calculateThumbprint(pair.publicKey);
    const token = await as.issueToken({ audience: resource, claims: { cnf: { jkt } } });

    const send = async (scheme: string, dpop: string) => {
      const headers = { authorization: `${scheme} ${token}`, dpop };
      return (await fetch(`${origin}/notes`, { headers })).status;
    };
    const proof = await generateProof(pair, resource, 'GET', undefined, token);
    expect(await send('DPoP', proof)).toBe(200);
    expect(await send('DPoP', proof)).toBe(401); // a proof is accepted once
    expect(await send('Bearer', await generateProof(pair, resource, 'GET', undefined, token))).toBe(401);
    //#endregion bound
    const exported = async (headers: Record<string, string>): Promise<number> =>
      (await fetch(`${origin}/notes/export`, { method: 'POST', headers })).status;
    const dpop = await generateProof(pair, `${resource}/export`, 'POST', undefined, token);
    expect(await exported({ authorization: `DPoP ${token}`, dpop })).toBe(201);
    const bearer = await as.issueToken({ audience: resource });
    expect(await exported({ authorization: `Bearer ${bearer}` })).toBe(403);
    expect((await fetch(`${origin}/notes`, { headers: { authorization: `Bearer ${bearer}` } })).status).toBe(
      200,
    );
  });

  it('ask for nonces, and keep used proofs where the application says', async () => {
    const used = new Set<string>();
    const reserve = (key: string): Promise<boolean> => {
      const isFree = !used.has(key);
      used.add(key);
      return Promise.resolve(isFree);
    };
    @Module({ imports: [examples.strictModule({ reserve })], controllers: [examples.NotesController] })
    class App {}
    const origin = await urlOf(App);
    const pair = await generateKeyPair('Ed25519');
    const jkt = await calculateThumbprint(pair.publicKey);
    const token = await as.issueToken({ audience: resource, claims: { cnf: { jkt } } });
    const send = async (nonce?: string) => {
      const dpop = await generateProof(pair, resource, 'GET', nonce, token);
      return fetch(`${origin}/notes`, { headers: { authorization: `DPoP ${token}`, dpop } });
    };
    const first = await send();
    expect([first.status, first.headers.get('www-authenticate')]).toEqual([
      401,
      expect.stringContaining('DPoP error="use_dpop_nonce"'),
    ]);
    expect((await send(first.headers.get('dpop-nonce') ?? '')).status).toBe(200);
    expect(used.size).toBe(1);
  });

  it('give the official client a key, so that it gets bound tokens', async () => {
    const resources: Record<string, string[]> = { [resource]: ['notes:read'] };
    const server: RunningAuthorizationServer = closeAfterTest(
      await startAuthorizationServer({ port: 0, resources, ...CREDENTIALS }),
    );
    const person = new Person(CREDENTIALS);
    const provider = new examples.ProvingProvider(
      'notes',
      'http://127.0.0.1:9/callback',
      async (url) => (await person.authorize(url)).searchParams,
    );
    const metadata = { resource, authorization_servers: [server.issuer] };
    const fetchFn: typeof fetch = async (input, init) => {
      const { href } = new URL(input instanceof Request ? input.url : input);
      return href.startsWith('https://api.example.com') ? Response.json(metadata) : fetch(input, init);
    };
    expect(await auth(provider, { serverUrl: resource, scope: 'notes:read', fetchFn })).toBe('REDIRECT');
    const answer = provider.takeAnswer();
    const [authorizationCode = '', iss = ''] = [answer.get('code'), answer.get('iss')].map(String);
    const back = { serverUrl: resource, authorizationCode, iss, fetchFn };
    expect(await auth(provider, back)).toBe('AUTHORIZED');
    expect(provider.tokens()?.token_type).toMatch(/^dpop$/i);
  });
});
