import { type INestApplication, type ModuleMetadata } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../fixtures/mcp-endpoint.js';
import { message } from '../fixtures/operations-app.js';
import { start } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';
import { SDKS } from '../fixtures/sdk-endpoints.js';
import type * as Examples from './scope-examples.js';

describe('the examples of scopes in the README', () => {
  let as: TestAuthorizationServer;
  let examples: typeof Examples;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    Object.assign(process.env, { MCP_RESOURCE: NOTES, MCP_ISSUER: as.issuer });
    examples = await import('./scope-examples.js');
  });

  afterAll(() => as.close());

  /** Asks with a token of these scopes: the status, and which scopes the challenge names. */
  async function asking(parts: ModuleMetadata, prepare?: (app: INestApplication) => Promise<void>) {
    const app = await start(examples.options, parts, prepare);
    return async (scope: string, body: unknown): Promise<[number, string?]> => {
      const bearer = await as.issueToken({ audience: NOTES, scopes: scope.split(' ') });
      const headers = { ...MCP_HEADERS, authorization: `Bearer ${bearer}` };
      const { status, headers: answered } = await app.send('/notes', { method: 'POST', headers, body });
      const challenge = answered['www-authenticate'];
      return challenge === undefined ? [status] : [status, / scope="([^"]*)"/.exec(challenge)?.[1] ?? ''];
    };
  }

  it('need one of several, scopes by arguments, and broader ones', async () => {
    const { controller, connect } = mcpEndpoint();
    const ask = await asking({ controllers: [controller, examples.FolderTools] }, connect);
    const count = toolCall('count_notes', 1, { folder: 'hr' });
    expect(await ask('notes:read folders:count', count)).toEqual([200]);
    expect(await ask('notes:admin', count)).toEqual([200]);
    expect(await ask('notes:read', count)).toEqual([403, 'notes:read folders:count']);
    expect(await ask('notes:write', toolCall('clear_folder', 1, { folder: 'it' }))).toEqual([200]);
    const clear = toolCall('clear_folder', 1, { folder: 'hr' });
    expect(await ask('notes:admin hr:write', clear)).toEqual([200]);
    expect(await ask('notes:write', clear)).toEqual([403, 'notes:write notes:read hr:write']);
    expect(await ask('notes:read', clear)).toEqual([403, 'notes:read notes:write hr:write']);
  });

  it.each(SDKS)('declare the handlers of %s', async (_, controller) => {
    const ask = await asking({ controllers: [controller], providers: [examples.SdkHandlers] });
    const write = message('tools/call', { name: 'write', arguments: {} });
    expect(await ask('notes:write', write)).toEqual([200]);
    expect(await ask('notes:read', write)).toEqual([403, 'notes:read notes:write']);
    const read = message('resources/read', { uri: 'note://1' });
    expect(await ask('notes:read', read)).toEqual([200]);
    expect(await ask('other', read)).toEqual([403, 'notes:read']);
  });
});
