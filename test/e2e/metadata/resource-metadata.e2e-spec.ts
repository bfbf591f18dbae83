import { describe, expect } from 'vitest';
import { start } from '../../fixtures/app.js';
import { problems } from '../../fixtures/config-problems.js';
import { expectNoDocument } from '../../fixtures/no-document.js';
import { NotesController } from '../../fixtures/notes.controller.js';
import { ADMIN, ISSUER, NOTES, offlineResource, ORIGIN, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

describe('the address of a document', () => {
  verifies(['PRM-01', 'PRM-20', 'PRM-21', 'F26'], 'is the well-known string before the path', async () => {
    for (const resources of [offlineResource(NOTES), [offlineResource(NOTES)]]) {
      const app = await start({ resources });
      const { status, headers, json } = await app.send(`${PRM}/notes`);
      expect(status).toBe(200);
      expect(headers['content-type']).toBe('application/json');
      expect(json).toEqual({
        resource: NOTES,
        authorization_servers: [ISSUER],
        bearer_methods_supported: ['header'],
      });
      for (const neighbour of [PRM, `${PRM}/note`, `${PRM}/notess`, `${PRM}s/notes`]) {
        expect((await app.send(neighbour)).status).toBe(404);
      }
    }
  });

  verifies(['PRM-60', 'PRM-01', 'F27'], 'is its own for each of several resources', async () => {
    const app = await start({
      resources: [offlineResource(NOTES), offlineResource(ADMIN), offlineResource(ORIGIN)],
    });
    for (const [path, identifier] of [
      ['/notes', NOTES],
      ['/admin', ADMIN],
      ['', ORIGIN],
    ]) {
      const { status, json } = await app.send(`${PRM}${path!}`);
      expect({ status, json }).toMatchObject({ status: 200, json: { resource: identifier } });
    }
    await expectNoDocument(app, `${PRM}/notes/admin`);
  });

  verifies('PRM-07', 'may have one slash at its end, and not two', async () => {
    const app = await start({
      resources: [offlineResource(NOTES), offlineResource(ORIGIN), offlineResource(`${ADMIN}/`)],
    });
    for (const path of [`${PRM}/notes`, PRM, `${PRM}/admin`]) {
      const without = await app.send(path);
      const withSlash = await app.send(`${path}/`);
      expect(without.status).toBe(200);
      expect([withSlash.status, withSlash.text]).toEqual([200, without.text]);
      await expectNoDocument(app, `${path}//`);
    }
  });

  const SPELLINGS = [
    ['/v1:batch', ['/v1XYZ', '/v1', '/v1%3Abatch', '/v1:Batch']],
    ['/a(b)', ['/ab', '/a%28b%29', '/a(b']],
    ['/a+b', ['/a%2Bb', '/aab', '/a++b']],
    ['/{id}', ['/id', '/7', '/%7Bid%7D']],
    ['/:id', ['/7', '/id']],
    ['/a*b', ['/axb', '/ab', '/a/b']],
    ['/*rest', ['/', '/anything']],
    ['/caf%C3%A9', ['/caf%c3%a9', '/cafe', '/caf%C3%A8']],
    ['/a%20b', ['/a%20%62', '/a%20c', '/a']],
    ['/a.b', ['/axb']],
    ['/a[0]', ['/a0']],
  ] as const;

  verifies('PRM-08', 'is compared exactly, whatever it means as a pattern', async () => {
    const app = await start({ resources: SPELLINGS.map(([path]) => offlineResource(`${ORIGIN}${path}`)) });
    for (const [path, neighbours] of SPELLINGS) {
      const { status, json } = await app.send(`${PRM}${path}`);
      expect({ status, json }).toMatchObject({ status: 200, json: { resource: `${ORIGIN}${path}` } });
      for (const neighbour of neighbours) await expectNoDocument(app, `${PRM}${neighbour}`);
    }
  });

  verifies(['PRM-08', 'PRM-12', 'H27'], 'gives no document for a path that only resembles it', async () => {
    const app = await start({ resources: [offlineResource(NOTES), offlineResource(ADMIN)] });
    const suffixes = [
      ...['', '/', '/unknown', '/NOTES', '/Notes', '/notes/extra', '/notes.json', '/notes;v=1'],
      ...[
        '//notes',
        '/%6eotes',
        '/%2fnotes',
        '/..%2fnotes',
        '/admin/..%2fnotes',
        '/admin/../notes',
        '/admin/%2e%2e/notes',
        '/%2e%2e/oauth-protected-resource/notes',
        '/../oauth-protected-resource/notes',
        '/:param',
        '/*',
        '/./notes',
      ],
      ...['/notes%00', '/notes%20', '/notes%3F', '/notes%23', '/__proto__', '/constructor', '/notes\\'],
    ];
    for (const suffix of suffixes) await expectNoDocument(app, `${PRM}${suffix}`);
    // Whether these reach the package at all is the platform's to say.
    for (const path of [
      '/.WELL-KNOWN/oauth-protected-resource/notes',
      '/.well-known/OAuth-Protected-Resource/notes',
      '//.well-known/oauth-protected-resource/notes',
      '/.well-known/oauth-protected-resource%2Fnotes',
    ]) {
      const { status, headers, text } = await app.send(path);
      expect([path, status, text.includes('authorization_servers')]).toEqual([path, 404, false]);
      expect(headers).not.toHaveProperty('www-authenticate');
    }
    expect((await app.send(`${PRM}/notes?a=1`)).json).toMatchObject({ resource: NOTES });
  });

  verifies('PRM-48', 'gets 400 or 404 if it is malformed, and the next request works', async () => {
    const app = await start({ resources: offlineResource(NOTES) });
    for (const path of [`${PRM}/%E0%A4%A`, `${PRM}/%`, `${PRM}/%zz`, `${PRM}%`, `${PRM}/notes%C3`]) {
      const { status, headers } = await app.send(path);
      expect([400, 404]).toContain(status);
      expect(headers).not.toHaveProperty('www-authenticate');
      expect(await app.send(`${PRM}/notes`)).toMatchObject({ status: 200, json: { resource: NOTES } });
    }
  });

  verifies('PRM-13', 'is not the resource with the well-known path appended', async () => {
    const app = await start({ resources: offlineResource(NOTES) }, { controllers: [NotesController] });
    expect((await app.send('/notes')).status).toBe(401);
    for (const path of [`/notes${PRM}`, `/notes${PRM}/notes`]) {
      const { status, headers, text } = await app.send(path);
      expect({ status, names: text.includes('authorization_servers') }).toEqual({
        status: 404,
        names: false,
      });
      expect(headers).not.toHaveProperty('www-authenticate');
    }
  });
});

describe('the root alias', () => {
  verifies(['PRM-11', 'F41'], 'is served when asked for, and needs exactly one resource', async () => {
    const app = await start({ resources: offlineResource(NOTES), serveRootAlias: true });
    const document = await app.send(`${PRM}/notes`);
    for (const path of [PRM, `${PRM}/`]) {
      const alias = await app.send(path);
      expect([alias.status, alias.text, alias.headers.etag]).toEqual([
        200,
        document.text,
        document.headers.etag,
      ]);
    }
    expect(document.json).toMatchObject({ resource: NOTES });
    await expectNoDocument(app, `${PRM}/unknown`);

    for (const serveRootAlias of [undefined, false]) {
      const without = await start({
        resources: offlineResource(NOTES),
        ...(serveRootAlias === undefined ? {} : { serveRootAlias }),
      });
      await expectNoDocument(without, PRM);
    }
    expect(
      await problems({ resources: [offlineResource(NOTES), offlineResource(ADMIN)], serveRootAlias: true }),
    ).toBe('McpAuthModule has 1 problem:\n  - serveRootAlias: needs exactly one resource; leave it out');
  });
});
