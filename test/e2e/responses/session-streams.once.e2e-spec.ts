import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import {
  Controller,
  Get,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  Param,
  Post,
  Query,
  Req,
  Res,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { AuthInfo, BearerAuthGuard, BearerAuthMiddleware, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { nodeResponseOf, type PlatformResponse } from '../../../lib/platform/node-message.js';
import { PLATFORMS, type RunningApp, start } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { toolCall } from '../../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { openStream as openRaw } from '../../fixtures/streams.js';
import { sseEndpoint } from '../../fixtures/session-endpoints.js';
import { verifies } from '../../verifies.js';

const { noToken } = notesRejections('notes:read');

const UNKNOWN = '00000000-0000-4000-8000-000000000000';

/** A stream that is open, as a client of MCP 2024-11-05 sees it. */
interface OpenStream {
  readonly session: string;
  /** Gives what came so far, once it has this in it. */
  until(text: string): Promise<string>;
  close(): Promise<void>;
}

async function openStream(app: RunningApp, bearer: string): Promise<OpenStream> {
  const headers = { authorization: `Bearer ${bearer}`, accept: 'text/event-stream' };
  const request = get(`${app.origin}/notes/sse`, { headers, agent: false });
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  expect(response.statusCode).toBe(200);
  let received = '';
  response.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
  const until = async (text: string): Promise<string> => {
    while (!received.includes(text)) await once(response, 'data');
    return received;
  };
  const session = /sessionId=(\S+)/.exec(await until('\n\n'))?.[1] ?? '';
  const close = (): Promise<void> => {
    request.destroy();
    return Promise.resolve();
  };
  return closeAfterTest({ session, until, close });
}

function coveredByMiddleware(controller: Type): Type {
  @Module({ controllers: [controller] })
  class CoveredModule implements NestModule {
    configure(consumer: MiddlewareConsumer): void {
      consumer.apply(BearerAuthMiddleware).forRoutes(controller);
    }
  }
  return CoveredModule;
}

interface Way {
  readonly options?: Partial<McpAuthModuleOptions>;
  readonly parts: () => { controllers?: Type[]; imports?: Type[] };
}

const WAYS: readonly (readonly [string, Way])[] = [
  ['a guard', { parts: () => ({ controllers: [sseEndpoint(UseGuards(BearerAuthGuard))] }) }],
  [
    'early authentication',
    { options: { earlyAuthentication: true }, parts: () => ({ controllers: [sseEndpoint()] }) },
  ],
  [
    'early authentication and a guard',
    {
      options: { earlyAuthentication: true },
      parts: () => ({ controllers: [sseEndpoint(UseGuards(BearerAuthGuard))] }),
    },
  ],
  ['a middleware', { parts: () => ({ imports: [coveredByMiddleware(sseEndpoint())] }) }],
];

describe.each(PLATFORMS.flatMap((platform) => WAYS.map(([name, way]) => [name, platform, way] as const)))(
  'a stream of MCP 2024-11-05 behind %s, on %s',
  (name, platform, way) => {
    let as: LoopbackAuthorizationServer;

    beforeAll(async () => {
      as = await LoopbackAuthorizationServer.start();
    });

    afterAll(() => as.close());

    const token = (claims: object = {}): Promise<string> =>
      as.token({ aud: NOTES, scope: 'notes:read', ...claims });

    function startEndpoint(): Promise<RunningApp> {
      const resources = {
        resource: NOTES,
        authorizationServers: [as.issuer],
        requiredScopes: ['notes:read'],
      };
      return start({ resources, ...way.options }, { ...way.parts(), platform });
    }

    const post = (app: RunningApp, bearer: string | undefined, query: string, id = 1): Promise<HttpAnswer> =>
      app.send(`/notes/messages${query.startsWith('#') ? '' : '?'}${query}`, {
        method: 'POST',
        headers: bearer === undefined ? {} : { authorization: `Bearer ${bearer}` },
        body: toolCall('whoami', id),
      });

    /** On Fastify a middleware cannot change what handlers are given, so it lets nothing through. */
    const isUnreachable = platform === 'fastify' && name === 'a middleware';

    verifies(['SES-08', 'H22'], 'takes messages of its caller only', async () => {
      const app = await startEndpoint();
      const stream = await openStream(app, await token());
      const another = await openStream(app, await token({ sub: 'u3' }));
      const owned = `kind=notes&sessionId=${stream.session}`;
      for (const claims of [{ sub: 'u2' }, { client_id: 'c2' }]) {
        const by = await token(claims);
        for (const query of [
          owned,
          `sessionId=${stream.session}`,
          `session%49d=${stream.session.replace('-', '%2d')}`,
          `sessionId=${UNKNOWN}&sessionId=${stream.session}`,
          `sessionId=${stream.session}&sessionId=${stream.session}`,
          `#sessionId=${stream.session}`,
          `x=${another.session}&sessionId=${stream.session}`,
        ]) {
          const { status, text } = await post(app, by, query, 666);
          const unknown = await post(
            app,
            by,
            query.replace(/sessionId=[0-9a-f-]{36}/gi, `sessionId=${UNKNOWN}`),
          );
          if (isUnreachable) expect(status).toBe(500);
          else expect([status, text]).toEqual([404, 'no such stream']);
          if (!/%|x=/.test(query)) expect([unknown.status, unknown.text]).toEqual([404, 'no such stream']);
        }
      }
      expect((await post(app, await token({ jti: 'j2' }), owned)).status).toBe(202);
      const received = await stream.until('it is u1');
      expect(received).not.toContain('"id":666');
      expect(received).not.toContain('u2');
    });

    verifies(['SES-08', 'SES-01'], 'needs a token for both of its ways', async () => {
      const app = await startEndpoint();
      const { session } = await openStream(app, await token());
      expect(rejectedAs(await app.send('/notes/sse'))).toEqual(noToken);
      expect(rejectedAs(await post(app, undefined, `sessionId=${session}`))).toEqual(noToken);
    });

    verifies('SES-08', 'serves the official client, two callers side by side', async () => {
      const app = await startEndpoint();
      const visit = async (sub: string): Promise<unknown> => {
        const bearer = await token({ sub });
        const authorized: typeof fetch = (input, init) => {
          const headers = new Headers(init?.headers);
          headers.set('authorization', `Bearer ${bearer}`);
          return fetch(input, { ...init, headers });
        };
        const client = closeAfterTest(new Client({ name: 'old', version: '1' }));
        // eslint-disable-next-line @typescript-eslint/no-deprecated -- clients of that version are what this is about
        const transport = new SSEClientTransport(new URL(`${app.origin}/notes/sse`), { fetch: authorized });
        await client.connect(transport);
        return (await client.callTool({ name: 'whoami' })).content;
      };
      expect(await Promise.all([visit('u1'), visit('u2')])).toEqual([
        [{ type: 'text', text: 'it is u1' }],
        [{ type: 'text', text: 'it is u2' }],
      ]);
    });

    verifies('SES-08', 'leaves queries alone that mean something else', async () => {
      const app = await startEndpoint();
      const stream = await openStream(app, await token());
      expect((await post(app, await token(), `kind=a%20b&x=%zz&sessionId=${stream.session}`)).status).toBe(
        202,
      );
      await stream.close();
      await expect
        .poll(async () => (await post(app, await token({ sub: 'u2' }), `sessionId=${stream.session}`)).text)
        .toBe('no such stream');
    });
  },
);

/** How a server announces a session: the first writes of its stream. */
type Announcement = (id: string) => readonly string[];

const said = (url: string): string => `event: endpoint\ndata: ${url}\n\n`;

const ANNOUNCEMENTS: readonly (readonly [string, Announcement])[] = [
  ['as the official SDK does', (id) => [said(`/notes/post?sessionId=${encodeURIComponent(id)}`)]],
  ['after a comment', (id) => [`: hello\n\n${said(`/notes/post?sessionId=${id}`)}`]],
  ['after "retry"', (id) => [`retry: 1000\n${said(`/notes/post?sessionId=${id}`)}`]],
  ['after "id"', (id) => [`id: 1\n${said(`/notes/post?sessionId=${id}`)}`]],
  ['with the data first', (id) => [`data: /notes/post?sessionId=${id}\nevent: endpoint\n\n`]],
  ['with other ends of lines', (id) => [said(`/notes/post?sessionId=${id}`).replaceAll('\n', '\r')]],
  ['in two writes', (id) => ['event: endpoint\n', `data: /notes/post?sessionId=${id}\n\n`]],
  ['in a write for each character', (id) => said(`/notes/post?sessionId=${id}`).split(/(?=[^])/)],
  ['after a byte order mark', (id) => [`\uFEFF${said(`/notes/post?sessionId=${id}`)}`]],
  ['as session_id', (id) => [said(`/notes/post?kind=notes&session_id=${id}`)]],
  ['as any other parameter', (id) => [said(`/notes/post?kind=notes&c=${id}`)]],
  ['in the path', (id) => [said(`/notes/post/${encodeURIComponent(id)}`)]],
  ['in the path, with a query', (id) => [said(`/notes/post/${encodeURIComponent(id)}?kind=notes`)]],
];

const IDS = [
  '8f14e45f-ceea-467f-9f0b-1c6b2f3d4e5a',
  'dmqQ7KWFVMSVBJTAEqfmSA==',
  'dmqQ/KWF+MSVBJTAEqfmSA==',
  'n7',
];

describe.each(PLATFORMS)('a stream of MCP 2024-11-05 of a server of its own, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
  });

  afterAll(() => as.close());

  async function startOwn(announce: Announcement, ids: readonly string[]) {
    const taken: [by: unknown, id: string][] = [];
    const open = new Set<string>();
    const left = [...ids];

    @Controller('notes')
    @UseGuards(BearerAuthGuard)
    class OwnStreams {
      @Get('stream')
      open(@Res() response: PlatformResponse): void {
        if ('hijack' in response) response.hijack();
        const node = nodeResponseOf(response);
        const id = left.shift() ?? 'none';
        open.add(id);
        node.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const write of announce(id)) node.write(write);
      }

      @Post(['post', 'post/:id'])
      take(
        @Param('id') id: string | undefined,
        @Query() query: Record<string, string | string[]>,
        @AuthInfo('subject') by: string,
      ): string {
        const named = [id, ...Object.values(query).flat()].find(
          (each) => each !== undefined && open.has(each),
        );
        if (named !== undefined) taken.push([by, named]);
        return named === undefined ? 'no such stream' : 'taken';
      }
    }

    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const app = await start({ resources }, { controllers: [OwnStreams], platform });
    const bearing = async (sub: string) => ({
      authorization: `Bearer ${await as.token({ aud: NOTES, sub })}`,
    });
    const openAs = async (sub: string, accept?: string) => {
      const headers = { ...(await bearing(sub)), ...(accept !== undefined && { accept }) };
      const stream = await openRaw(app.origin, '/notes/stream', { headers });
      closeAfterTest({
        close: () => {
          stream.abort();
          return Promise.resolve();
        },
      });
      await expect.poll(() => stream.text()).toMatch(/endpoint[^]*(\n\n|\r\r)/);
    };
    const post = async (sub: string, target: string): Promise<string> =>
      (await app.send(target, { method: 'POST', headers: await bearing(sub) })).text;
    return { openAs, post, taken };
  }

  const sentTo = (announce: Announcement, id: string): string =>
    /data: (\S+)/.exec(announce(id).join(''))?.[1] ?? '';

  describe.each(ANNOUNCEMENTS)('that is announced %s', (how, announce) => {
    verifies(['WAY-07', 'SES-08', 'H22'], 'takes messages of its caller only', async () => {
      for (const id of IDS) {
        const { openAs, post, taken } = await startOwn(announce, [
          id,
          'b0b0b0b0-0000-4000-8000-000000000000',
        ]);
        await openAs('alice', 'text/event-stream');
        await openAs('bob', 'text/event-stream');
        const target = sentTo(announce, id);
        const raw = target.includes(encodeURIComponent(id))
          ? target.replace(encodeURIComponent(id), id)
          : target;
        const inQuery = target.includes('?') && !target.includes('/post/');
        const sent = [
          target,
          raw,
          target.replace(id, encodeURIComponent(id)),
          target.replace(/(\w)(?=\W*(\?.*)?$)/, (last) => `%${last.charCodeAt(0).toString(16)}`),
          ...(inQuery
            ? [
                `${target}&x=1`,
                target.replace('?', '?x=%zz&'),
                target.replace(/\?.*/, `?other=${encodeURIComponent(id)}`),
              ]
            : []),
          `/notes/post/${encodeURIComponent(id)}`,
          `/notes/post?x=${encodeURIComponent(id)}&x=1`,
        ];
        for (const each of sent) {
          const answer = await post('bob', each);
          expect([how, each, answer]).not.toEqual([how, each, 'taken']);
        }
        expect([how, id, taken]).toEqual([how, id, []]);
        const own = id.includes('+') && !target.includes('%2B') ? target.replace('+', '%2B') : target;
        expect([how, id, await post('alice', own)]).toEqual([how, id, 'taken']);
        const bobs = sentTo(announce, 'b0b0b0b0-0000-4000-8000-000000000000');
        expect([how, id, await post('bob', bobs)]).toEqual([how, id, 'taken']);
      }
    });
  });

  verifies(
    ['WAY-07', 'SES-08'],
    'is bound whatever its client says that it takes, or does not say',
    async () => {
      const id = IDS[0] ?? '';
      const announce: Announcement = (each) => [said(`/notes/post?sessionId=${each}`)];
      for (const accept of [undefined, '*/*', 'text/*', 'application/json, text/event-stream;q=0.5']) {
        const { openAs, post, taken } = await startOwn(announce, [id]);
        await openAs('alice', accept);
        expect(await post('bob', `/notes/post?sessionId=${id}`)).toBe('no such stream');
        expect(await post('alice', `/notes/post?sessionId=${id}`)).toBe('taken');
        expect(taken).toEqual([['alice', id]]);
      }
    },
  );
});

@Controller('api/conversation-service')
@UseGuards(BearerAuthGuard)
class ConversationService {
  @Get('sse')
  open(@Res() response: PlatformResponse): void {
    if ('hijack' in response) response.hijack();
    const node = nodeResponseOf(response).writeHead(200, { 'content-type': 'text/event-stream' });
    node.write(`event: endpoint\ndata: /api/conversation-service/messages?sessionId=${UNKNOWN}\n\n`);
  }

  @Get('things/:id')
  thing(@Req() { url }: { url: string }, @Param('id') id: string, @Query('of') of: string): unknown {
    return { url, id, of };
  }
}

describe.each(PLATFORMS)('a stream of MCP 2024-11-05 on %s', (platform) => {
  verifies(['WAY-07', 'SES-08'], 'leaves requests of others below its path alone', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    for (const earlyAuthentication of [false, true]) {
      const parts = { controllers: [ConversationService] };
      const app = await start({ resources, earlyAuthentication }, { ...parts, platform });
      const headersOf = async (sub: string) => ({
        authorization: `Bearer ${await as.token({ aud: NOTES, sub })}`,
      });
      const stream = await openRaw(app.origin, '/api/conversation-service/sse', {
        headers: await headersOf('alice'),
      });
      await expect.poll(() => stream.text()).toContain('sessionId');
      const headers = await headersOf('bob');
      const other = '/api/conversation-service/things/conversation-service?of=messages';
      const seen = { url: other, id: 'conversation-service', of: 'messages' };
      expect((await app.send(other, { headers })).json).toEqual(seen);
      const named = `/api/conversation-service/things/${UNKNOWN}`;
      expect((await app.send(named, { headers })).json).not.toMatchObject({ id: UNKNOWN });
      stream.abort();
    }
  });
});
