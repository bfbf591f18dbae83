import { expect, it } from 'vitest';
import { start } from '../fixtures/app.js';
import { MCP_HEADERS } from '../fixtures/mcp-endpoint.js';
import { message } from '../fixtures/operations-app.js';
import { NOTES } from '../fixtures/resources.js';
import { server } from '../fixtures/servers.js';
import { NotesController, NotesHandlers } from './source-examples.js';

it('the example of a handler source protects tools, prompts, resources and templates', async () => {
  const as = await server();
  const resources = { resource: NOTES, authorizationServers: [as.issuer] };
  const parts = { controllers: [NotesController], providers: [NotesHandlers] };
  const app = await start({ resources }, parts);
  const ask = async (method: string, params: object, scope: string | undefined) => {
    const { status, headers } = await app.send('/notes', {
      method: 'POST',
      headers: { ...MCP_HEADERS, authorization: `Bearer ${await as.token({ aud: NOTES, scope })}` },
      body: message(method, params),
    });
    return [status, /scope="([^"]*)"/.exec(headers['www-authenticate'] ?? '')?.[1]];
  };
  for (const [method, params, scope] of [
    ['tools/call', { name: 'purge_notes', arguments: {} }, 'notes:write'],
    ['prompts/get', { name: 'summarize' }, 'notes:read'],
    ['resources/read', { uri: 'notes://statistics' }, 'notes:statistics'],
    ['resources/read', { uri: 'note://7/text' }, 'notes:read'],
  ] as const) {
    expect([method, await ask(method, params, undefined)]).toEqual([method, [403, scope]]);
    expect([method, await ask(method, params, scope)]).toEqual([method, [200, undefined]]);
  }
  const list = { name: 'list_notes', arguments: {} };
  expect(await ask('tools/call', list, undefined)).toEqual([200, undefined]);
  const undeclared = { name: 'list_note', arguments: {} };
  expect(await ask('tools/call', undeclared, 'notes:read')).toEqual([403, undefined]);
});
