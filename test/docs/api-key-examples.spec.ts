import { Controller, Get, UseGuards } from '@nestjs/common';
import { AuthInfo, BearerAuthGuard, type ProtectedResourceOptions } from 'nestjs-mcp-auth';
import { afterAll, beforeAll, expect } from 'vitest';
import { type RunningApp, start } from '../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { NOTES } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';
import { composed, forClients } from './api-key-examples.js';
import { withKeys } from './option-examples.js';

@Controller('notes')
@UseGuards(BearerAuthGuard)
class ClientController {
  @Get()
  who(@AuthInfo('clientId') clientId: string): object {
    return { clientId };
  }
}

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

const startWith = (options: ProtectedResourceOptions): Promise<RunningApp> =>
  start(
    { resources: { ...options, authorizationServers: [as.issuer] } },
    { controllers: [ClientController] },
  );
const ask = async (app: RunningApp, token: string): Promise<unknown> => {
  const { status, json } = await app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
  return status === 200 ? json : status;
};

verifies(
  ['AKY-17', 'AKY-18'],
  'the example of firstOf() takes tokens of all three kinds, and no other',
  async () => {
    const app = await startWith(composed);
    expect(await ask(app, await as.token({ aud: NOTES }))).toEqual({ clientId: 'c1' });
    expect(await ask(app, 'partner-token')).toEqual({ clientId: 'partner' });
    expect(await ask(app, 'build-token')).toEqual({ clientId: 'ci' });
    for (const token of ['partner-tokens', 'other', await as.token({ aud: 'https://else.example' })])
      expect(await ask(app, token)).toBe(401);
    // The keys cannot be fetched: no verifier of the others may make an invalid token of that.
    const down = await startWith(composed);
    as.at('/jwks', (_, response) => {
      response.writeHead(500).end();
    });
    expect(await ask(down, await as.token({ aud: NOTES }))).toBe(503);
    expect(await ask(down, 'build-token')).toEqual({ clientId: 'ci' });
    expect(await ask(down, 'other')).toBe(401);
    as.at('/jwks', { keys: [as.key.publicJwk] });
  },
);

verifies('CRL-01', 'the example of client rules allows its clients', async () => {
  const app = await startWith(forClients);
  const by = async (client_id: string): Promise<unknown> =>
    ask(app, await as.token({ aud: NOTES, client_id }));
  for (const clientId of [
    'reporting-job',
    'https://claude.ai/oauth/client',
    'https://tools.example.com/oauth/client.json',
  ])
    expect(await by(clientId)).toEqual({ clientId });
  for (const clientId of [
    'reporting',
    'https://tools.example.com/oauth/other.json',
    'https://claude.ai.evil.com/c',
  ])
    expect(await by(clientId)).toBe(403);
});

verifies('AKY-01', 'the example of the option takes its key, and no other', async () => {
  const app = await startWith({ resource: NOTES, authorizationServers: [], ...withKeys });
  const by = async (key: string): Promise<number> =>
    (await app.send('/notes', { headers: { 'x-api-key': key } })).status;
  expect([await by('key-of-ada'), await by('key-of-bob')]).toEqual([200, 401]);
});
