import type { INestApplication } from '@nestjs/common';
import { requireBearerAuth as requireBearerAuthV2 } from '@modelcontextprotocol/express';
import { InvalidTokenError, ServerError } from '@modelcontextprotocol/sdk/server/auth/errors.js';
import { requireBearerAuth as requireBearerAuthV1 } from '@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js';
import {
  bearerAuthChallengeResponse,
  OAuthError,
  requireBearerAuth,
  verifyBearerToken,
} from '@modelcontextprotocol/server';
import type { Request, Response } from 'express';
import { describe, expect } from 'vitest';
import {
  AuthorizationServerUnavailableError,
  McpAuthConfigError,
  ResourceTokenVerifier,
  type TokenVerifierOption,
} from 'nestjs-mcp-auth';
import { type RunningApp, start } from '../../fixtures/app.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import { ADMIN, ISSUER, NOTES, NOTES_METADATA, offlineResource } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const DESCRIPTION = 'The access token is invalid or expired';
const SECRET = 'secret-of-the-verifier';
const HOST_OPTIONS = { requiredScopes: ['notes:read'], resourceMetadataUrl: NOTES_METADATA };

const REJECTED = {
  status: 401,
  challenge: `Bearer error="invalid_token", error_description="${DESCRIPTION}", scope="notes:read", resource_metadata="${NOTES_METADATA}"`,
  json: { error: 'invalid_token', error_description: DESCRIPTION },
};
const UNDER_SCOPED = {
  status: 403,
  challenge: `Bearer error="insufficient_scope", error_description="Insufficient scope", scope="notes:read", resource_metadata="${NOTES_METADATA}"`,
  json: { error: 'insufficient_scope', error_description: 'Insufficient scope' },
};
const FAULT = {
  status: 500,
  challenge: undefined,
  json: { error: 'server_error', error_description: 'Internal Server Error' },
};

const claims = (changes: object = {}): Record<string, unknown> => ({
  iss: ISSUER,
  aud: NOTES,
  sub: 'u1',
  client_id: 'c1',
  scope: 'notes:read',
  exp: Math.floor(Date.now() / 1000) + 60,
  ...changes,
});

/** A verifier that does with each token what the token is called. */
const verifier: TokenVerifierOption = (token) => {
  if (token === 'good') return claims();
  if (token === 'elsewhere') return claims({ aud: ADMIN });
  if (token === 'expired') return claims({ exp: 1 });
  if (token === 'under-scoped') return claims({ scope: 'other' });
  if (token === 'outage') throw new AuthorizationServerUnavailableError(ISSUER, 'verification');
  if (token === 'fault') throw new Error(SECRET);
  if (token === 'thrown') throw SECRET as unknown as Error;
  return null;
};

/** What each token and header gets from a host of the SDK. */
const TABLE: readonly [authorization: string, expected: object][] = [
  ['Bearer unknown', REJECTED],
  ['Bearer elsewhere', REJECTED],
  ['Bearer expired', REJECTED],
  ['Bearer un"known', REJECTED],
  ['Bearer unkn\u00f6wn', REJECTED],
  [`Bearer ${'a'.repeat(8193)}`, REJECTED],
  ['Bearer under-scoped', UNDER_SCOPED],
  ['Bearer outage', FAULT],
  ['Bearer fault', FAULT],
  ['Bearer thrown', FAULT],
];

const rejection = ({ status, headers, json }: HttpAnswer): object => ({
  status,
  challenge: headers['www-authenticate'],
  json,
});

/** Mounts a host at a path, behind which is shown who was admitted. */
function mount(nest: INestApplication, path: string, middleware: unknown): void {
  nest.use(path, middleware, (request: Request & { auth?: object }, response: Response) => {
    response.json({ ...request.auth });
  });
}

describe('ResourceTokenVerifier', () => {
  const errors: unknown[][] = [];

  async function appWith(
    prepare: (nest: INestApplication, tokens: ResourceTokenVerifier) => void,
  ): Promise<RunningApp> {
    const resources = [offlineResource(NOTES), offlineResource(ADMIN, { name: 'admin' })];
    const nothing = (): void => undefined;
    errors.length = 0;
    return start(
      { resources, verifier },
      {
        prepare: (nest) => {
          nest.useLogger({ log: nothing, warn: nothing, error: (...line: unknown[]) => errors.push(line) });
          prepare(nest, nest.get(ResourceTokenVerifier));
        },
      },
    );
  }

  async function expectTable(app: RunningApp, path: string): Promise<void> {
    const get = (authorization: string) => app.send(path, { headers: { authorization } });
    expect(await get('Bearer good')).toMatchObject({
      status: 200,
      json: { clientId: 'c1', subject: 'u1', scopes: ['notes:read'], resource: NOTES, issuer: ISSUER },
    });
    for (const [authorization, expected] of TABLE) {
      const answer = await get(authorization);
      expect({ authorization, ...rejection(answer) }).toEqual({ authorization, ...expected });
      expect(JSON.stringify([answer.headers, answer.text])).not.toContain(SECRET);
    }
  }

  verifies('F86', 'serves requireBearerAuth of the SDK for Express', async () => {
    const app = await appWith((nest, tokens) => {
      mount(nest, '/v2', requireBearerAuthV2({ verifier: tokens.forResource(NOTES), ...HOST_OPTIONS }));
    });
    await expectTable(app, '/v2');
  });

  verifies('F86', 'serves requireBearerAuth of version 1 of the SDK, given its error class', async () => {
    const app = await appWith((nest, tokens) => {
      const own = tokens.forResource(NOTES, { invalidTokenError: InvalidTokenError });
      mount(
        nest,
        '/v1',
        requireBearerAuthV1({ verifier: own, ...HOST_OPTIONS, expectedResource: new URL(NOTES) }),
      );
    });
    await expectTable(app, '/v1');
  });

  verifies('F86', 'serves the functions of the SDK without a framework', async () => {
    const app = await appWith(() => undefined);
    const own = app.app.get(ResourceTokenVerifier).forResource(NOTES);
    const gate = requireBearerAuth({ verifier: own, ...HOST_OPTIONS });
    const ask = (authorization: string) => gate(new Request(NOTES, { headers: { authorization } }));
    expect(await ask('Bearer good')).toMatchObject({ clientId: 'c1', token: 'good' });
    for (const [authorization, expected] of TABLE) {
      const answer = await ask(authorization);
      if (!(answer instanceof globalThis.Response)) throw new Error(`admitted: ${authorization}`);
      const challenge = answer.headers.get('www-authenticate') ?? undefined;
      expect({ status: answer.status, challenge, json: await answer.json() }).toEqual(expected);
    }
    const error: unknown = await verifyBearerToken('Bearer expired', { verifier: own }).catch(
      (e: unknown) => e,
    );
    expect(error).toBeInstanceOf(OAuthError);
    expect(OAuthError.isInstance(error)).toBe(true);
    expect(error).toMatchObject({ code: 'invalid_token', cause: { reason: 'expired' } });
    expect(bearerAuthChallengeResponse(error).status).toBe(401);
    expect(error).not.toBeInstanceOf(ServerError);
  });

  verifies('F86', 'keeps the reason for the host, in either form', async () => {
    const app = await appWith(() => undefined);
    const tokens = app.app.get(ResourceTokenVerifier);
    const sdk = tokens.forResource(NOTES, { invalidTokenError: InvalidTokenError });
    for (const [token, reason] of [
      ['elsewhere', 'audience'],
      ['un"known', 'malformed'],
      ['a'.repeat(8193), 'too_long'],
      ['', 'malformed'],
    ] as const) {
      for (const own of [sdk, tokens.forResource(NOTES)]) {
        await expect(own.verifyAccessToken(token)).rejects.toMatchObject({
          message: DESCRIPTION,
          cause: { name: 'TokenRejectedError', reason },
        });
      }
      await expect(sdk.verifyAccessToken(token)).rejects.toBeInstanceOf(InvalidTokenError);
    }
  });

  verifies(['F79', 'F86'], 'logs what a host would only answer with 500', async () => {
    const app = await appWith(() => undefined);
    const own = app.app.get(ResourceTokenVerifier).forResource(NOTES);
    await expect(own.verifyAccessToken('outage')).rejects.toBeInstanceOf(AuthorizationServerUnavailableError);
    await expect(own.verifyAccessToken('fault')).rejects.toThrow(SECRET);
    await expect(own.verifyAccessToken('thrown')).rejects.toBe(SECRET);
    await expect(own.verifyAccessToken('expired')).rejects.toThrow(DESCRIPTION);
    expect(errors.map(([message]) => message)).toEqual(
      Array.from({ length: 3 }, () => `a token for ${NOTES} could not be checked`),
    );
    expect(errors[2]).toContain('a value of type string');
  });

  verifies('F86', 'verifies for one resource, which must be named if there are several', async () => {
    const app = await appWith(() => undefined);
    const tokens = app.app.get(ResourceTokenVerifier);
    expect((await tokens.forResource('admin').verifyAccessToken('elsewhere')).resource.href).toBe(ADMIN);
    await expect(tokens.forResource(ADMIN).verifyAccessToken('good')).rejects.toThrow(DESCRIPTION);
    const fix = `ResourceTokenVerifier: needs the name of a resource: forResource() with one of "${NOTES}", "admin"`;
    expect(() => tokens.forResource()).toThrow(McpAuthConfigError);
    expect(() => tokens.forResource('notes')).toThrow(fix);
    await expect(tokens.verifyAccessToken('good')).rejects.toThrow(fix);
  });

  verifies('F86', 'needs no name where there is one resource', async () => {
    const app = await start({ resources: offlineResource(NOTES), verifier });
    const auth = await app.app.get(ResourceTokenVerifier).verifyAccessToken('good');
    expect(auth).toMatchObject({ subject: 'u1', resourceMetadataUrl: NOTES_METADATA });
  });
});

describe('a verifier of the SDK', () => {
  verifies(['F86', 'VER-01'], 'is usable as a function, with its results and errors', async () => {
    const provider = {
      async verifyAccessToken(token: string) {
        if (token === 'v1') throw new InvalidTokenError(SECRET);
        if (token === 'v2') throw new OAuthError('invalid_token', SECRET);
        if (token === 'fault') throw new ServerError(SECRET);
        const resource = new URL(NOTES);
        return { token, clientId: 'c1', scopes: ['notes:read'], resource, extra: { sub: 'u1' } };
      },
    };
    const app = await start(
      { resources: offlineResource(NOTES), verifier: (token) => provider.verifyAccessToken(token) },
      { controllers: [NotesController] },
    );
    const get = (token: string) => app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
    expect(await get('good')).toMatchObject({ status: 200, text: 'notes' });
    for (const token of ['v1', 'v2']) {
      expect(rejection(await get(token))).toEqual({
        status: 401,
        challenge: `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", error_description="${DESCRIPTION}"`,
        json: { error: 'invalid_token', error_description: DESCRIPTION },
      });
    }
    expect(rejection(await get('fault'))).toEqual({
      status: 500,
      challenge: undefined,
      json: { error: 'server_error', error_description: 'The request could not be checked' },
    });
  });
});
