import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { McpAuthConfigError } from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp, startApp, startFailure } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { listing } from '../../fixtures/config-problems.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { sendRawRequest } from '../../fixtures/raw-request.js';
import { NOTES, offlineResource } from '../../fixtures/resources.js';

const { noToken } = notesRejections('notes:read');

/** Targets that lead to the routes below, or nearly; a router takes those that it likes. */
const AWKWARD = [
  ...['/notes', '/notes/', '//notes', '/notes//', '/./notes', '/x/../notes', '/notes/../notes', '/\\notes'],
  ...['/NOTES', '/Notes/X', '/notes/x', '/notes//x', '/notes/x/', '/notes/mounted', '/notes/mounted/y'],
  ...[
    '/notes?x',
    '/notes#',
    '/notes#/x',
    '/notes/x#',
    '/notes#?x',
    '/notes?#',
    '/notes/mounted#/..',
    '/#/../notes',
  ],
  ...[
    '/%6eotes',
    '/%6Eotes/x',
    '/notes%2fx',
    '/notes%2Fx',
    '/notes%5cx',
    '/%6eotes/%ff',
    '/%6eotes%',
    '/notes%23',
  ],
  ...['/notes;x', '/notes;x/x', '/notes/x;y', '/notes%3bx', '/notes%3f', '/notes%20', '/notes%00', '/notes.'],
  ...[
    'http://x/notes',
    'HTTP://X/notes',
    'http://x/notes#',
    'http://x//notes',
    'http://u:p@x/notes',
    'http://x:1/notes',
  ],
  ...[
    'http://x/%6eotes',
    'http://x/x/../notes',
    'http://x#/notes',
    'http:///notes',
    'x://x/notes',
    'x:/notes',
    '*',
  ],
];

describe.each(PLATFORMS)('routes of a library below a resource, authenticated early, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  let ran = 0;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    app = await startApp(
      { resources, earlyAuthentication: true },
      {
        prepare: (nest) => {
          const answer = (
            _: unknown,
            response: { send?(text: string): void; end(text: string): void },
          ): void => {
            ran += 1;
            if (response.send) response.send('ran');
            else response.end('ran');
          };
          const adapter = nest.getHttpAdapter();
          for (const path of ['/notes', '/notes/x', '/other']) adapter.get(path, answer);
          if (platform === 'express') nest.use('/notes/mounted', answer);
        },
        platform,
      },
    );
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  beforeEach(() => {
    ran = 0;
  });

  it('need a token, and nothing else does', async () => {
    const lines = [`Authorization: Bearer ${await as.token({ aud: NOTES, scope: 'notes:read' })}`];
    for (const target of ['/notes', '/notes/x', '/notes?x', '/notes#', 'http://x/notes']) {
      expect(rejectedAs(await sendRawRequest(app.origin, { target }))).toEqual(noToken);
      expect(ran).toBe(0);
      expect(await sendRawRequest(app.origin, { target, lines })).toMatchObject({ status: 200, text: 'ran' });
      ran = 0;
    }
    expect(await sendRawRequest(app.origin, { target: '/other' })).toMatchObject({
      status: 200,
      text: 'ran',
    });
  });

  it('run in no spelling of their path without one', async () => {
    for (const target of AWKWARD) {
      const { status } = await sendRawRequest(app.origin, { target });
      expect({ target, ran, isRejected: status >= 400 && status < 500 }).toEqual({
        target,
        ran: 0,
        isRejected: true,
      });
    }
  });

  it('run for no target at all without one', async () => {
    const character = fc.constantFrom(...Array.from('/\\.;?#:%@|~^"<>[]{}`\u0080\u00a0\u00ff'));
    const at = fc.nat({ max: 12 });
    const inserted = fc
      .tuple(
        fc.constantFrom('/notes', '/notes/x', '/notes/mounted', 'http://x/notes'),
        at,
        character,
        at,
        character,
      )
      .map(([base, first, one, second, other]) => {
        const once = base.slice(0, first) + one + base.slice(first);
        return once.slice(0, second) + other + once.slice(second);
      });
    await fc.assert(
      fc.asyncProperty(inserted, async (target) => {
        const { status, text } = await sendRawRequest(app.origin, { target });
        expect([ran, text === 'ran', status < 500]).toEqual([0, false, true]);
      }),
      { numRuns: 400 },
    );
  });
});

describe('early authentication of resources that share a path', () => {
  it('fails startup, because a request does not tell which resource it means', async () => {
    const other = 'https://other.example/notes';
    const resources = [offlineResource(NOTES), offlineResource(other)];
    const error = await startFailure({ resources, earlyAuthentication: true });
    expect(error).toBeInstanceOf(McpAuthConfigError);
    expect(error.message).toBe(
      listing(
        `earlyAuthentication: cannot tell "${NOTES}" and "${other}" apart by their paths; give them different paths, or leave it out`,
      ),
    );
    const app = await startApp({ resources });
    await app.close();
  });
});
