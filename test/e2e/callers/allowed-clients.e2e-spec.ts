import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  AccessDeniedError,
  AllowAnonymous,
  AuthInfo,
  BearerAuthGuard,
  type McpAuthEvent,
  McpAuthEvents,
  RequireScopes,
  ResourceTokenVerifier,
} from 'nestjs-mcp-auth';
import { type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { notesRejections, type Rejected, rejectedAs } from '../../fixtures/notes-rejections.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken, invalidToken, insufficientScope } = notesRejections('notes:read');

const REFUSED: Rejected = {
  status: 403,
  challenge: undefined,
  json: { error: 'access_denied', error_description: 'This client is not allowed to use this resource' },
};

const ran: string[] = [];

@Controller('notes')
@UseGuards(BearerAuthGuard)
class Notes {
  @Get()
  who(@AuthInfo() auth: AuthInfo): object {
    ran.push('who');
    return { clientId: auth.clientId };
  }

  @Get('write')
  @RequireScopes('notes:write')
  write(): object {
    return {};
  }

  @Get('open')
  @AllowAnonymous()
  open(@AuthInfo('clientId') clientId: string | undefined): object {
    ran.push('open');
    return { clientId };
  }
}

const allowedClients = {
  clientIds: ['cli', 'https://tools.example/client.json'],
  origins: ['https://good.example'],
};

beforeEach(() => {
  ran.length = 0;
});

describe('allowedClients', () => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  const events: McpAuthEvent[] = [];

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const resources = {
      resource: NOTES,
      authorizationServers: [as.issuer],
      requiredScopes: ['notes:read'],
      allowedClients,
      apiKeys: {
        issuer: 'urn:example:keys',
        verifier: (key: string) => ({
          sub: 'ada',
          aud: NOTES,
          scope: 'notes:read',
          ...(key !== 'none' && { client_id: key }),
        }),
      },
    };
    app = await startApp({ resources }, { controllers: [Notes] });
    app.app.get(McpAuthEvents).on('access_denied', (event) => events.push(event));
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  const token = (claims: object = {}): Promise<string> =>
    as.token({ aud: NOTES, scope: 'notes:read', ...claims });
  const get = async (headers: Record<string, string>, path = '/notes'): Promise<Rejected> =>
    rejectedAs(await app.send(path, { headers }));
  const asked = async (claims: object, path?: string): Promise<Rejected> =>
    get({ authorization: `Bearer ${await token(claims)}` }, path);
  const served = (clientId: string): Rejected => ({ status: 200, challenge: undefined, json: { clientId } });

  verifies(
    ['CRL-01', 'CRL-02'],
    'serves clients by id and by origin, and refuses those beside them',
    async () => {
      for (const client_id of ['cli', 'https://tools.example/client.json', 'https://good.example/any/client'])
        expect(await asked({ client_id })).toEqual(served(client_id));
      const others = [
        ...['CLI', 'cli/', 'c', 'https://tools.example/client.json/', 'https://tools.example/other.json'],
        ...['https://good.example', 'https://good.example.evil.com/c', 'https://good.example:8443/c'],
        ...['https://good.example@evil.com/c', 'https://a:b@good.example/c', 'https://GOOD.example/c'],
        ...['https://xn--god-hxd.example/c', 'https://g\u043eod.example/c', 'http://good.example/c'],
      ];
      for (const client_id of others)
        expect([client_id, await asked({ client_id })]).toEqual([client_id, REFUSED]);
      expect(ran).toHaveLength(3);
    },
  );

  verifies(
    'CRL-03',
    'refuses a client after authentication, before scopes, and says so in the event',
    async () => {
      events.length = 0;
      for (const scope of ['', 'notes:read', 'notes:read notes:write'])
        for (const path of ['/notes', '/notes/write', '/notes/open'])
          expect([scope, path, await asked({ client_id: 'other', scope }, path)]).toEqual([
            scope,
            path,
            REFUSED,
          ]);
      expect(events).toHaveLength(9);
      for (const event of events)
        expect(event).toMatchObject({
          reason: 'client',
          status: 403,
          clientId: 'other',
          subject: 'u1',
          required: [],
        });
      expect(await asked({ client_id: 'cli', scope: '' })).toEqual(insufficientScope('notes:read'));
      expect(await asked({ client_id: 'other', exp: 1 })).toEqual(invalidToken);
      expect(await asked({ client_id: 'other', aud: 'https://else.example' })).toEqual(invalidToken);
      expect(await get({})).toEqual(noToken);
      expect(await get({}, '/notes/open')).toEqual({ status: 200, challenge: undefined, json: {} });
      expect(ran).toEqual(['open']);
    },
  );

  verifies('CRL-04', 'refuses a token that names no client, or something else than one', async () => {
    for (const client_id of [undefined, '', null, ['cli'], { id: 'cli' }, 7, true, ['cli', 'other']])
      expect([client_id, await asked({ client_id, azp: undefined })]).toEqual([client_id, REFUSED]);
    expect(await asked({ client_id: undefined, azp: 'cli' })).toEqual(served('cli'));
    expect(await asked({ client_id: undefined, azp: 'other' })).toEqual(REFUSED);
    expect(await asked({ client_id: 'other', azp: 'cli' })).toEqual(REFUSED);
    expect(await asked({ client_id: undefined, sub: 'cli' })).toEqual(REFUSED);
  });

  verifies('CRL-08', 'holds for callers with an API key', async () => {
    expect(await get({ 'x-api-key': 'cli' })).toEqual(served('cli'));
    for (const key of ['other', 'none', 'cli/'])
      expect([key, await get({ 'x-api-key': key })]).toEqual([key, REFUSED]);
  });

  verifies('CRL-10', 'makes hosts of the SDK reject a token of a refused client', async () => {
    const verifier = app.app.get(ResourceTokenVerifier);
    const good = await verifier.verifyAccessToken(await token({ client_id: 'cli' }));
    expect(good.clientId).toBe('cli');
    const rejected = verifier.verifyAccessToken(await token({ client_id: 'other' }));
    await expect(rejected).rejects.toMatchObject({
      code: 'invalid_token',
      cause: new AccessDeniedError('client'),
    });
    class HostError extends Error {}
    const host = verifier.forResource(undefined, { invalidTokenError: HostError });
    await expect(host.verifyAccessToken(await token({ client_id: '' }))).rejects.toBeInstanceOf(HostError);
  });
});
