import { requireBearerAuth } from '@modelcontextprotocol/express';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { describe, expect } from 'vitest';
import {
  AuthInfo,
  type AuthorizationServerOptions,
  BearerAuthGuard,
  ResourceTokenVerifier,
  type TokenClaims,
  type TokenVerifierOption,
  VerifiedToken,
} from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { type RunningApp, start } from '../../fixtures/app.js';
import { ProvingClient } from '../../fixtures/dpop.js';
import { dpopRejections } from '../../fixtures/dpop-rejections.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { ISSUER, NOTES, NOTES_METADATA, offlineResource } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const CLIENT = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };
const REJECTED = dpopRejections(NOTES_METADATA);

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  caller(@AuthInfo() { binding, subject }: AuthInfo): object {
    return { binding: binding ?? 'none', subject };
  }
}

const bearer = (app: RunningApp, token: string): Promise<HttpAnswer> =>
  app.send('/notes', { headers: { authorization: `Bearer ${token}` } });

const proved = async (app: RunningApp, client: ProvingClient, token: string): Promise<HttpAnswer> =>
  app.send('/notes', { headers: await client.headers({ token }) });

describe('a token that is introspected', () => {
  interface Setting {
    readonly as: TestAuthorizationServer;
    readonly app: RunningApp;
    readonly client: ProvingClient;
    /** Has introspection answer with these members beside those of a good token. */
    readonly says: (members: object) => void;
  }

  async function setting(
    dpop: 'off' | 'allowed' | 'required',
    introspection: AuthorizationServerOptions['introspection'] = CLIENT,
  ): Promise<Setting> {
    const as = closeAfterTest(await TestAuthorizationServer.start());
    const server: AuthorizationServerOptions = { issuer: as.issuer, mode: 'introspection', introspection };
    const app = await start(
      { resources: { resource: NOTES, authorizationServers: [server], dpop }, showErrorDetails: true },
      { controllers: [NotesController] },
    );
    const good = { active: true, iss: as.issuer, aud: NOTES, sub: 'u1', client_id: 'c1' };
    const exp = Math.floor(Date.now() / 1000) + 60;
    const says = (members: object): void => {
      as.fail('introspection', { json: { ...good, exp, ...members } });
    };
    return { as, app, client: await ProvingClient.make(NOTES), says };
  }

  verifies('POP-21', 'is bound by what the server says of it', async () => {
    const { as, app, client } = await setting('allowed');
    const issued = { audience: NOTES, sub: 'u1' };
    const token = as.issueOpaqueToken({ ...issued, claims: { cnf: { jkt: client.jkt } } });
    const { status, json } = await proved(app, client, token);
    expect([status, json]).toEqual([200, { binding: 'jkt', subject: 'u1' }]);
    expect(rejectedAs(await bearer(app, token))).toEqual(REJECTED.token('sender_constrained'));
    expect(rejectedAs(await app.send('/notes', { headers: { authorization: `DPoP ${token}` } }))).toEqual(
      REJECTED.proof('proof_missing'),
    );
    const other = await ProvingClient.make(NOTES);
    expect(rejectedAs(await proved(app, other, token))).toEqual(REJECTED.proof('proof_key'));

    const unbound = as.issueOpaqueToken(issued);
    expect((await bearer(app, unbound)).json).toEqual({ binding: 'none', subject: 'u1' });
    expect(rejectedAs(await proved(app, client, unbound))).toEqual(REJECTED.token('not_bound', 'DPoP'));
  });

  verifies('POP-21', 'has the type DPoP, or Bearer with a confirmation, and no other', async () => {
    const { app, client, says } = await setting('allowed');
    const cnf = { jkt: client.jkt };
    for (const members of [
      { token_type: 'DPoP', cnf },
      { token_type: 'dpop', cnf },
      { token_type: 'Bearer', cnf },
      { cnf },
    ]) {
      says(members);
      expect([members, (await proved(app, client, 'opaque')).status]).toEqual([members, 200]);
      expect(rejectedAs(await bearer(app, 'opaque'))).toEqual(REJECTED.token('sender_constrained'));
    }
    for (const members of [
      { token_type: 'DPoP' },
      { token_type: 'DPoP', cnf: null },
      { token_type: 'DPoP', cnf: {} },
      { token_type: 'DPoP', cnf: { 'x5t#S256': client.jkt } },
      { token_type: 'N_A', cnf },
      { token_type: 'DPoP ', cnf },
    ]) {
      says(members);
      const answers = [await proved(app, client, 'opaque'), await bearer(app, 'opaque')];
      expect([members, ...answers.map(rejectedAs)]).toEqual([
        members,
        REJECTED.token('sender_constrained', 'DPoP'),
        REJECTED.token('sender_constrained'),
      ]);
    }
  });

  verifies('POP-21', 'needs a proof each time, also while the answer is kept', async () => {
    const { as, app, client } = await setting('allowed', { ...CLIENT, cache: {} });
    const token = as.issueOpaqueToken({ audience: NOTES, claims: { cnf: { jkt: client.jkt } } });
    for (let turn = 0; turn < 2; turn++) expect((await proved(app, client, token)).status).toBe(200);
    expect(as.requestCount('introspection')).toBe(1);
    expect(rejectedAs(await bearer(app, token))).toEqual(REJECTED.token('sender_constrained'));
    expect(rejectedAs(await app.send('/notes', { headers: { authorization: `DPoP ${token}` } }))).toEqual(
      REJECTED.proof('proof_missing'),
    );
  });

  verifies('POP-21', 'is rejected without the option, and must be bound where that is required', async () => {
    const off = await setting('off');
    off.says({ token_type: 'DPoP', cnf: { jkt: off.client.jkt } });
    expect((await bearer(off.app, 'opaque')).json).toMatchObject({ reason: 'sender_constrained' });
    const required = await setting('required');
    required.says({});
    expect(rejectedAs(await bearer(required.app, 'opaque'))).toEqual(REJECTED.token('not_bound'));
    required.says({ cnf: { jkt: required.client.jkt } });
    expect((await proved(required.app, required.client, 'opaque')).status).toBe(200);
  });
});

const claims = (more: object = {}): Record<string, unknown> => ({
  ...{ iss: ISSUER, aud: NOTES, sub: 'u1', client_id: 'c1' },
  exp: Math.floor(Date.now() / 1000) + 60,
  ...more,
});

/** A verifier of the application in each form, which knows one token by its claims. */
const VERIFIERS: readonly (readonly [string, (cnf: object | undefined) => TokenVerifierOption])[] = [
  ['claims', (cnf) => () => claims({ cnf })],
  ['claims that may be kept', (cnf) => () => new VerifiedToken(claims({ cnf }), { cacheable: true })],
  [
    'the shape of the SDK',
    (cnf) => () => ({ clientId: 'c1', scopes: [], resource: new URL(NOTES), extra: { sub: 'u1', cnf } }),
  ],
];

describe.each(VERIFIERS)('a verifier that returns %s', (_, verifierOf) => {
  const appOf = (cnf: object | undefined, dpop: 'off' | 'allowed'): Promise<RunningApp> =>
    start(
      { resources: { ...offlineResource(NOTES), dpop }, verifier: verifierOf(cnf), showErrorDetails: true },
      { controllers: [NotesController] },
    );

  verifies('POP-22', 'binds the token by `cnf`', async () => {
    const client = await ProvingClient.make(NOTES);
    const app = await appOf({ jkt: client.jkt }, 'allowed');
    for (let turn = 0; turn < 2; turn++) {
      const { status, json } = await proved(app, client, 'opaque');
      expect([status, json]).toEqual([200, { binding: 'jkt', subject: 'u1' }]);
      expect(rejectedAs(await bearer(app, 'opaque'))).toEqual(REJECTED.token('sender_constrained'));
    }
    const other = await ProvingClient.make(NOTES);
    expect(rejectedAs(await proved(app, other, 'opaque'))).toEqual(REJECTED.proof('proof_key'));
  });

  verifies(
    'POP-22',
    'binds nothing without `cnf`, and has bound tokens rejected without the option',
    async () => {
      const client = await ProvingClient.make(NOTES);
      const unbound = await appOf(undefined, 'allowed');
      expect((await bearer(unbound, 'opaque')).json).toEqual({ binding: 'none', subject: 'u1' });
      expect(rejectedAs(await proved(unbound, client, 'opaque'))).toEqual(
        REJECTED.token('not_bound', 'DPoP'),
      );
      const off = await appOf({ jkt: client.jkt }, 'off');
      expect((await bearer(off, 'opaque')).json).toMatchObject({ reason: 'sender_constrained' });
    },
  );
});

describe('a host of the SDK that verifies by ResourceTokenVerifier', () => {
  verifies('POP-23', 'rejects a bound token, with a proof too, and accepts a bearer token', async () => {
    const client = await ProvingClient.make(NOTES);
    const tokens: Record<string, TokenClaims> = {
      bound: claims({ cnf: { jkt: client.jkt } }),
      unbound: claims(),
    };
    const hostOf = (dpop: 'allowed' | 'required'): Promise<RunningApp> =>
      start(
        { resources: { ...offlineResource(NOTES), dpop }, verifier: (token) => tokens[token] ?? null },
        {
          platform: 'express',
          prepare: (nest) => {
            const verifier = nest.get(ResourceTokenVerifier).forResource(NOTES);
            nest.use(
              '/notes',
              requireBearerAuth({ verifier, resourceMetadataUrl: NOTES_METADATA }),
              (_: unknown, response: { json(body: object): void }) => {
                response.json({});
              },
            );
          },
        },
      );
    const description = 'The access token is invalid or expired';
    const rejected = {
      status: 401,
      challenge: `Bearer error="invalid_token", error_description="${description}", resource_metadata="${NOTES_METADATA}"`,
      json: { error: 'invalid_token', error_description: description },
    };
    const allowed = await hostOf('allowed');
    const ask = async (authorization: string): Promise<HttpAnswer> =>
      allowed.send('/notes', { headers: { authorization, dpop: await client.proof({ token: 'bound' }) } });
    expect((await ask('Bearer unbound')).status).toBe(200);
    expect(rejectedAs(await ask('Bearer bound'))).toEqual(rejected);
    expect((await ask('DPoP bound')).status).toBe(401);
    expect(rejectedAs(await bearer(await hostOf('required'), 'unbound'))).toEqual(rejected);
  });
});
