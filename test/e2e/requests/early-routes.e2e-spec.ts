import { Injectable } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import express, { type Express, type Request, type Response } from 'express';
import { describe, expect } from 'vitest';
import { McpHandlerSource } from 'nestjs-mcp-auth';
import { startCreated } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const { noToken, insufficientScope } = notesRejections('notes:read');

@Injectable()
class NotesHandlers extends McpHandlerSource {
  declarations() {
    return [
      { kind: 'tool', name: 'purge', requirements: ['notes:admin'] },
      { kind: 'tool', name: 'list', requirements: [] },
    ] as const;
  }
}

/** The bodies with which the route ran. */
const ran: unknown[] = [];

const onExpress =
  (mount: (server: Express, handle: (request: Request, response: Response) => void) => void) => () => {
    const server = express();
    mount(server, (request, response) => {
      ran.push(request.body);
      response.end('ran');
    });
    return new ExpressAdapter(server);
  };

/** Adapters around an instance of the platform that has a route already. */
const ADAPTERS = {
  'an Express instance with a route': onExpress((server, handle) => {
    server.post('/notes', handle);
  }),
  'an Express instance with a handler of all paths': onExpress((server, handle) => {
    server.use(handle);
  }),
  'an Express instance with a router': onExpress((server, handle) => {
    const router = express.Router();
    router.use(handle);
    server.use('/notes', router);
  }),
  'an Express instance with an application of its own': onExpress((server, handle) => {
    const other = express();
    other.post('/', handle);
    server.use('/notes', other);
  }),
  'an Express instance with its own body parser': onExpress((server, handle) => {
    server.use(express.json());
    server.post('/notes', handle);
  }),
  'a Fastify instance with a route': () => {
    const adapter = new FastifyAdapter();
    adapter.getInstance().post('/notes', async (request) => {
      ran.push(request.body);
      return 'ran';
    });
    return adapter;
  },
};

describe.each(Object.entries(ADAPTERS))('early authentication of %s', (_, adapter) => {
  verifies('WAY-09', 'covers what stood there before the module, with the scopes of tools', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const app = await startCreated(
      { resources, earlyAuthentication: true },
      { adapter: adapter(), providers: [NotesHandlers] },
    );
    ran.length = 0;
    const call = (name: string) => ({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name } });
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}` };
    const post = (body: unknown, given: Record<string, string>) =>
      app.send('/notes', { method: 'POST', body, headers: given });
    expect(rejectedAs(await post(call('list'), {}))).toEqual(noToken);
    expect(rejectedAs(await post(call('purge'), {}))).toEqual(noToken);
    expect(rejectedAs(await post(call('purge'), headers))).toEqual(
      insufficientScope('notes:read notes:admin'),
    );
    expect(ran).toEqual([]);
    expect((await post(call('list'), headers)).text).toBe('ran');
    expect(ran).toEqual([call('list')]);
  });
});
