import { ExpressAdapter } from '@nestjs/platform-express';
import { type AddressInfo } from 'node:net';
import { type Response } from 'express';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../../test/fixtures/http.js';
import { CredentialsRefusedError, InsufficientScopeError } from '../errors/refusal.errors.js';
import { resolveOptions } from '../options/resolve-options.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { BearerException } from './bearer.exception.js';
import { refuse } from './refuse.js';

const PRM = 'https://api.example.com/.well-known/oauth-protected-resource/notes';

const resource: KnownResource = {
  options: resolveOptions({
    resources: {
      resource: 'https://api.example.com/notes',
      authorizationServers: ['https://as.example'],
      requiredScopes: ['notes:read'],
    },
  }).resources[0]!,
  metadataUrl: PRM,
  servers: new Map(),
};

describe('refuse', () => {
  const adapter = new ExpressAdapter();
  let origin: string;

  beforeAll(async () => {
    adapter.initHttpServer({});
    adapter.get('/notes', (_request: unknown, response: Response) => {
      const exception = refuse(new CredentialsRefusedError('missing_token'), resource, adapter, response);
      response.status(exception.getStatus()).json(exception.getResponse());
    });
    await new Promise<void>((resolve) => {
      adapter.listen(0, '127.0.0.1', () => {
        resolve();
      });
    });
    const server = adapter.getHttpServer() as { address(): AddressInfo };
    origin = `http://127.0.0.1:${String(server.address().port)}`;
  });

  afterAll(() => adapter.close());

  it('puts the headers on the response and gives the exception with status and body', async () => {
    const answer = await send(origin, '/notes');
    expect(answer.status).toBe(401);
    expect(answer.headers).toMatchObject({
      'www-authenticate': `Bearer scope="notes:read", resource_metadata="${PRM}"`,
      'cache-control': 'no-store',
    });
    expect(answer.json).toEqual({
      error: 'missing_token',
      error_description: 'Send an access token: Authorization: Bearer TOKEN',
    });
  });

  it('gives only the exception where there is no response', () => {
    const failure = new InsufficientScopeError(['notes:write']);
    const exception = refuse(failure, resource, adapter, undefined);
    expect(exception).toBeInstanceOf(BearerException);
    expect(exception.getStatus()).toBe(403);
    expect(exception.getResponse()).toMatchObject({ error: 'insufficient_scope' });
    expect(exception.cause).toBe(failure);
  });
});
