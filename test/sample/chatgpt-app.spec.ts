import type { INestApplication } from '@nestjs/common';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { connectV1, connectV2, CREDENTIALS } from '../fixtures/official-clients.js';
import { type ListedTool, SimulatedChatGpt } from '../fixtures/simulated-chatgpt.js';
import { verifies } from '../verifies.js';

const SCOPES = ['articles:read', 'articles:save'];
const SIGN_IN = 'This tool needs a signed-in user. Ask the user to sign in, then call it again.';

describe('sample/chatgpt-app', () => {
  let resource: string;
  let server: RunningAuthorizationServer;
  let app: INestApplication;

  beforeAll(async () => {
    const port = await freePort();
    resource = `http://127.0.0.1:${String(port)}/articles`;
    server = await startAuthorizationServer({ port: 0, resources: { [resource]: SCOPES }, ...CREDENTIALS });
    Object.assign(process.env, { MCP_RESOURCE: resource, MCP_ISSUER: server.issuer });
    const { startArticlesServer } = await import('../../sample/chatgpt-app/src/start.js');
    app = await startArticlesServer(port);
  });

  afterAll(async () => {
    await app.close();
    await server.close();
  });

  const chatGpt = () => new SimulatedChatGpt(resource, new Person(CREDENTIALS));

  verifies(['CLI-12', 'CLI-03', 'CLI-04'], 'tells ChatGPT how each tool authenticates', async () => {
    const tools = await chatGpt().connect();
    const said = ({ name, securitySchemes, _meta }: ListedTool) => {
      expect(_meta?.securitySchemes).toEqual(securitySchemes);
      return [name, securitySchemes];
    };
    expect(tools.map(said)).toEqual([
      ['search_articles', [{ type: 'noauth' }]],
      ['suggest_articles', [{ type: 'noauth' }, { type: 'oauth2' }]],
      ['list_saved', [{ type: 'oauth2', scopes: ['articles:read'] }]],
      ['save_article', [{ type: 'oauth2', scopes: ['articles:save'] }]],
    ]);
  });

  verifies(
    ['CLI-12', 'CLI-07'],
    'lets ChatGPT sign in at the first protected tool, and step up later',
    async () => {
      const client = chatGpt();
      await client.connect();
      expect(await client.call('search_articles', { word: 'tea' })).toBe('Tea in spring\nTea in winter');
      expect(await client.call('suggest_articles')).toContain('Tea in spring');
      expect(await client.call('list_saved')).toBe('no articles');
      expect(await client.call('save_article', { title: 'Tea in spring' })).toBe('Saved: Tea in spring');
      expect(await client.call('list_saved')).toBe('Tea in spring');
      expect(await client.call('suggest_articles')).toBe('Tea in winter\nCoffee in spring');
      client.unlink();
      expect(await client.call('suggest_articles')).toContain('Tea in spring');
      expect(client.trace).toEqual([
        'initialize 200',
        'tools/list 200',
        'search_articles 200',
        'suggest_articles 200',
        'list_saved 200',
        'SIGN-IN list_saved: articles:read',
        'REGISTER',
        'TOKEN articles:read',
        'list_saved 200 with a token',
        'save_article 200 with a token',
        'SIGN-IN save_article: articles:read articles:save',
        'TOKEN articles:read articles:save',
        'save_article 200 with a token',
        'list_saved 200 with a token',
        'suggest_articles 200 with a token',
        'suggest_articles 200',
      ]);
    },
  );

  verifies(['CLI-12', 'CLI-08'], 'gives a bad token of ChatGPT a 401, and no result', async () => {
    const client = chatGpt();
    await client.connect();
    const foreign = await TestAuthorizationServer.start();
    client.use(await foreign.issueToken({ audience: resource, scopes: SCOPES }));
    await foreign.close();
    expect(await client.call('list_saved')).toBe('HTTP 401');
    expect(await client.call('search_articles', { word: 'tea' })).toBe('HTTP 401');
  });

  verifies('CLI-12', 'offers no sign-in without both halves', async () => {
    const client = chatGpt();
    // It has not read the list, so it does not know that the tool needs sign-in.
    expect(await client.call('list_saved')).toBe(SIGN_IN);
    expect(client.trace).toEqual(['list_saved 200']);
  });

  for (const [name, connect] of [['v1', connectV1] as const, ['v2', connectV2] as const]) {
    verifies(
      'CLI-12',
      `lets the official client ${name} sign in by the 401, and step up by the 403`,
      async () => {
        const client = await connect(resource);
        expect(await client.call('search_articles', { word: 'coffee' })).toBe('Coffee in spring');
        expect(client.urls.filter((url) => url !== resource)).toEqual([]);
        expect(await client.call('list_saved')).not.toBe(SIGN_IN);
        expect(client.scopes()).toContain('articles:read');
        expect(client.scopes()).not.toContain('articles:save');
        expect(await client.call('save_article', { title: 'Coffee in spring' })).toBe(
          'Saved: Coffee in spring',
        );
        expect(client.scopes()).toContain('articles:save');
        expect(await client.call('list_saved')).toContain('Coffee in spring');
        expect(client.challenged).toHaveLength(1);
        await client.close();
      },
    );
  }
});
