import type { IncomingMessage, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, createRequestStateCodec, type ServerContext } from '@modelcontextprotocol/server';
import { All, Controller, Req, Res, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { BearerAuthGuard, principalKey } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { type RunningApp, start } from '../fixtures/app.js';
import type { HttpAnswer } from '../fixtures/http.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../fixtures/mcp-endpoint.js';
import { NOTES } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';
import type * as Examples from './session-examples.js';

const STATE_KEY = 'a key of thirty-two bytes or more';

/** The parts of a call in several rounds. */
interface Round {
  readonly tool?: string;
  readonly folder?: string;
  readonly requestState?: string;
}

describe('the examples of handles and state in the documents', () => {
  let as: TestAuthorizationServer;
  let examples: typeof Examples;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    process.env['MCP_STATE_KEY'] = STATE_KEY;
    examples = await import('./session-examples.js');
  });

  afterAll(() => as.close());

  const options = () => ({ resources: { resource: NOTES, authorizationServers: [as.issuer] } });

  const token = (sub: string, clientId = 'c1'): Promise<string> =>
    as.issueToken({ audience: NOTES, sub, clientId });

  verifies(['SES-05', 'H30'], 'know a handle for the caller that it was given to only', async () => {
    const { controller, connect } = mcpEndpoint();
    const app = await start(options(), { controllers: [controller, examples.ExportTools], prepare: connect });
    const call = async (bearer: string, name: string, args = {}): Promise<unknown> => {
      const headers = { ...MCP_HEADERS, authorization: `Bearer ${bearer}` };
      const body = toolCall(name, 1, args);
      return (await app.send('/notes', { method: 'POST', headers, body })).json;
    };
    const given = await call(await token('u1'), 'start_export');
    const handle = (given as { result: { content: { text: string }[] } }).result.content[0]?.text ?? '';
    const never = '00000000-0000-4000-8000-000000000000';
    const unknown = await call(await token('u1'), 'read_export', { handle: never });
    expect(unknown).toMatchObject({ result: { isError: true, content: [{ text: 'unknown handle' }] } });
    for (const bearer of [await token('u2'), await token('u1', 'c2')])
      expect(await call(bearer, 'read_export', { handle })).toEqual(unknown);
    expect(await call(await token('u1'), 'read_export', { handle })).toMatchObject({
      result: { content: [{ text: 'notes of u1' }] },
    });
  });

  function startServer(): Promise<RunningApp> {
    const handler = toNodeHandler(createMcpHandler(() => examples.createServer()));
    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class Endpoint {
      @All()
      async handle(
        @Req() request: IncomingMessage & { body?: unknown },
        @Res() response: ServerResponse,
      ): Promise<void> {
        await handler(request as Parameters<typeof handler>[0], response, request.body);
      }
    }
    return start(options(), { controllers: [Endpoint], platform: 'express' });
  }

  function call(app: RunningApp, bearer: string, round: Round): Promise<HttpAnswer> {
    const { tool = 'empty_folder', folder = 'hr', requestState } = round;
    const version = '2026-07-28';
    const answers = requestState !== undefined && {
      requestState,
      inputResponses: { consent: { action: 'accept', content: { sure: true } } },
    };
    const meta = {
      'io.modelcontextprotocol/protocolVersion': version,
      'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
      'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
    };
    return app.send('/notes', {
      method: 'POST',
      headers: {
        authorization: `Bearer ${bearer}`,
        'mcp-protocol-version': version,
        'mcp-method': 'tools/call',
        'mcp-name': tool,
      },
      body: {
        jsonrpc: '2.0',
        id: 1,
        method: 'tools/call',
        params: { name: tool, arguments: { folder }, ...answers, _meta: meta },
      },
    });
  }

  verifies(
    ['SES-06', 'H30'],
    'take a state back from its caller, in time and for the same call',
    async () => {
      const app = await startServer();
      const owner = await token('u1');
      const asked = await call(app, owner, {});
      const { requestState = '' } = (asked.json as { result: Round }).result;
      expect(requestState).toMatch(/^v1\./);
      const done = (await call(app, await token('u1'), { requestState })).text;
      expect(done).toContain('empty_folder: hr');

      // Not the last character, some of whose bits are padding.
      const altered = requestState.replace(/.(?=.$)/, (last) => (last === 'A' ? 'B' : 'A'));
      const inside = requestState.replace(/(?<=^v1\..{20})./, (found) => (found === 'A' ? 'B' : 'A'));
      const context = {
        http: { authInfo: { issuer: as.issuer, subject: 'u1', clientId: 'c1' } },
      } as unknown as ServerContext;
      const bind = ({ http }: ServerContext): string =>
        principalKey(http?.authInfo as unknown as Parameters<typeof principalKey>[0]);
      const late = createRequestStateCodec({ key: STATE_KEY, ttlSeconds: -1, bind });
      const inTime = createRequestStateCodec({ key: STATE_KEY, bind });
      const payload = { tool: 'empty_folder', folder: 'hr' };
      const mine = await inTime.mint(payload, context);
      expect((await call(app, owner, { requestState: mine })).text).toContain('empty_folder: hr');
      for (const [bearer, state] of [
        [await token('u2'), requestState],
        [await token('u1', 'c2'), requestState],
        [owner, altered],
        [owner, inside],
        [owner, 'x'],
        [owner, await late.mint(payload, context)],
      ] as const) {
        const { status, text } = await call(app, bearer, { requestState: state });
        expect([status, text]).toEqual([
          expect.any(Number),
          expect.stringContaining('Invalid or expired requestState'),
        ]);
        expect(text).not.toContain('empty_folder');
      }
      for (const round of [{ tool: 'drop_folder' }, { folder: 'it' }])
        expect((await call(app, owner, { ...round, requestState })).text).toContain('this was not asked');
    },
  );
});
