import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApp, PLATFORMS, type RunningApp } from '../../fixtures/app.js';
import { type AppCase, APPS } from '../../fixtures/apps.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer, HttpRequestOptions } from '../../fixtures/http.js';
import { NOTES, ORIGIN, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

describe.each(PLATFORMS)('on %s, an app with', (platform) => {
  describe.each(APPS.map((each) => [each.app, each] as const))('%s', (_, appCase: AppCase) => {
    const {
      resource = NOTES,
      path = '/notes',
      headers = {},
      shown = (body: unknown) => body,
      shownRejection,
    } = appCase;
    const documentPath = `${PRM}${resource.slice(ORIGIN.length)}`;
    const metadata = `${ORIGIN}${documentPath}`;
    let app: RunningApp;

    beforeAll(async () => {
      app = await createApp(
        {
          resources: { resource, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] },
          ...appCase.options,
        },
        { ...appCase.parts, platform },
      );
    });

    afterAll(() => app.close());

    const get = async (target: string, scope?: string): Promise<HttpAnswer> => {
      const token = scope === undefined ? undefined : await as.token({ aud: resource, scope });
      const options: HttpRequestOptions = {
        headers: { ...headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      };
      return app.send(target, options);
    };

    const expectRejection = (answer: HttpAnswer, status: number, challenge: string, body: object): void => {
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([status, challenge]);
      expect(answer.headers['cache-control']).toBe('no-store');
      expect(answer.json).toEqual(shownRejection ? shownRejection(status) : body);
    };

    verifies('CHL-18', 'challenges who has no token', async () => {
      expectRejection(await get(path), 401, `Bearer scope="notes:read", resource_metadata="${metadata}"`, {
        error: 'missing_token',
        error_description: 'Send an access token: Authorization: Bearer TOKEN',
      });
    });

    verifies('CHL-18', 'asks for all scopes that a route needs', async () => {
      const description = 'The access token does not grant what this operation needs';
      expectRejection(
        await get(`${path}/write`, 'notes:read'),
        403,
        `Bearer error="insufficient_scope", scope="notes:read notes:write", resource_metadata="${metadata}", error_description="${description}"`,
        { error: 'insufficient_scope', error_description: description },
      );
      const answer = await get(`${path}/write`, 'notes:read notes:write');
      const body = shown('written');
      expect([answer.status, answer.text]).toEqual([
        200,
        typeof body === 'string' ? body : JSON.stringify(body),
      ]);
    });

    it('hands its handlers the caller', async () => {
      const answer = await get(path, 'notes:read');
      expect([answer.status, answer.json]).toEqual([
        200,
        shown({ subject: 'u1', context: 'u1', same: true, scopes: ['notes:read'] }),
      ]);
      if (appCase.nowhere !== undefined) expect((await get(appCase.nowhere, 'notes:read')).status).toBe(404);
    });

    verifies(['PRM-09', 'PRM-40'], 'has the document where clients look, open and unchanged', async () => {
      for (const authorization of [undefined, 'Bearer abc']) {
        const answer = await app.send(documentPath, { headers: { ...(authorization && { authorization }) } });
        expect([answer.status, answer.headers['content-type'], answer.json]).toEqual([
          200,
          'application/json',
          {
            resource,
            authorization_servers: [as.issuer],
            scopes_supported: ['notes:read', 'notes:write'],
            bearer_methods_supported: ['header'],
          },
        ]);
      }
      expect((await app.send(`${documentPath}x`)).status).toBe(404);
      for (const prefix of ['/api', '/v1', '/v2', '/api/v1', '/api/v2', '/area']) {
        expect((await app.send(`${prefix}${documentPath}`)).status).toBe(404);
      }
    });
  });
});
