import { describe, expect, it } from 'vitest';
import {
  type AuthorizationServerOptions,
  type McpAuthModuleOptions,
  McpAuthConfigError,
} from 'nestjs-mcp-auth';
import { start, startFailure } from '../../fixtures/app.js';
import { mismatch, OAUTH, OIDC, trusting, unresolved, WITHOUT_KEYS } from '../../fixtures/discovery.js';
import { startNotes, statusOfToken } from '../../fixtures/notes-app.js';
import { bareServer } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

describe('metadata by issuer', () => {
  verifies('F01', 'asks an oidc server once, behind its path', async () => {
    const as = await bareServer('/tenant1');
    as.at(`/tenant1${OIDC}`, as.metadata());
    const app = await startNotes(trusting({ issuer: as.issuer, type: 'oidc' }));
    expect(as.paths).toEqual([`/tenant1${OIDC}`]);
    expect(await statusOfToken(app, as)).toBe(200);
  });

  verifies('F02', 'asks an oauth server once, between host and path', async () => {
    const as = await bareServer('/tenant1');
    as.at(`${OAUTH}/tenant1`, as.metadata());
    const app = await startNotes(trusting({ issuer: as.issuer, type: 'oauth' }));
    expect(as.paths).toEqual([`${OAUTH}/tenant1`]);
    expect(await statusOfToken(app, as)).toBe(200);
  });

  it.each([
    ['oidc', `${OAUTH}/tenant1`, `/tenant1${OIDC}`],
    ['oauth', `/tenant1${OIDC}`, `${OAUTH}/tenant1`],
    ['oidc', `${OIDC}/tenant1`, `/tenant1${OIDC}`],
  ] as const)('does not find an %s server whose document stands at %s', async (type, place, asked) => {
    const as = await bareServer('/tenant1');
    as.at(place, as.metadata());
    const error = await startFailure(trusting({ issuer: as.issuer, type }));
    expect(error.message).toBe(unresolved([as.issuer, `${as.origin}${asked}: answered 404`]));
    expect(as.paths).toEqual([asked]);
  });

  verifies('F03', 'finds each of three layouts by auto, and knows no other type', async () => {
    const layouts = [`${OAUTH}/tenant1`, `${OIDC}/tenant1`, `/tenant1${OIDC}`];
    for (const [index, layout] of layouts.entries()) {
      const as = await bareServer('/tenant1');
      as.at(layout, as.metadata());
      const app = await startNotes(trusting({ issuer: as.issuer, type: 'auto' }));
      expect(as.paths).toEqual(layouts.slice(0, index + 1));
      expect(await statusOfToken(app, as)).toBe(200);
    }
    const error = await startFailure(
      trusting({ issuer: 'https://as.example', type: 'OIDC' } as unknown as AuthorizationServerOptions),
    );
    expect(error).toBeInstanceOf(McpAuthConfigError);
    expect(error.message).toBe(
      'McpAuthModule has 1 problem:\n' +
        '  - resources[0].authorizationServers[0].type: must be one of auto, oauth, oidc; got "OIDC"',
    );
  });

  it('names all locations in order when none of them has a document', async () => {
    const as = await bareServer('/tenant1');
    const error = await startFailure(trusting(as.issuer));
    expect(error.message).toBe(
      unresolved([
        as.issuer,
        `${as.origin}${OAUTH}/tenant1: answered 404`,
        `${as.origin}${OIDC}/tenant1: answered 404`,
        `${as.origin}/tenant1${OIDC}: answered 404`,
      ]),
    );
    expect(as.paths).toEqual([`${OAUTH}/tenant1`, `${OIDC}/tenant1`, `/tenant1${OIDC}`]);
  });

  verifies('F05', 'leaves the slash at the end out of the location, not out of the issuer', async () => {
    const as = await bareServer('/');
    as.at(OAUTH, as.metadata());
    const app = await startNotes(trusting(as.issuer));
    expect(as.paths).toEqual([OAUTH]);
    expect(await statusOfToken(app, as)).toBe(200);

    as.at(OAUTH, as.metadata({ issuer: as.origin }));
    const error = await startFailure(trusting(as.issuer));
    expect(error.message).toBe(
      unresolved([as.issuer, mismatch(`${as.origin}${OAUTH}`, as.origin, as.issuer)]),
    );
  });

  verifies(['ASM-24', 'F20'], 'asks with Accept and its own name, and with no credentials', async () => {
    const as = await bareServer();
    as.at(OAUTH, as.metadata());
    await startNotes(trusting(as.issuer));
    const [request] = as.requests;
    expect(request).toMatchObject({
      method: 'GET',
      path: OAUTH,
      headers: { accept: 'application/json', 'user-agent': 'nestjs-mcp-auth' },
    });
    const { cookie, authorization, referer, origin } = request!.headers;
    expect({ cookie, authorization, referer, origin }).toEqual({});
  });

  it('asks a server once that two resources trust, and twice where a function repairs its document', async () => {
    const as = await bareServer();
    as.at(OAUTH, as.metadata());
    const resources = (server: AuthorizationServerOptions): McpAuthModuleOptions => ({
      resources: ['notes', 'admin'].map((name) => ({
        resource: `https://api.example.com/${name}`,
        authorizationServers: [server],
      })),
    });
    await start(resources({ issuer: as.issuer }));
    expect(as.paths).toEqual([OAUTH]);
    await start(resources({ issuer: as.issuer, transpileData: (data) => data }));
    expect(as.paths).toEqual([OAUTH, OAUTH, OAUTH]);
  });
});

describe('metadata at an address of its own', () => {
  verifies('F07', 'asks that address and no other', async () => {
    const as = await bareServer();
    as.at('/custom.json', as.metadata());
    const app = await startNotes(trusting({ metadataUrl: `${as.origin}/custom.json`, issuer: as.issuer }));
    expect(as.paths).toEqual(['/custom.json']);
    expect(await statusOfToken(app, as)).toBe(200);
  });

  it('does not look elsewhere when the document is not there', async () => {
    const as = await bareServer();
    as.at(OAUTH, as.metadata());
    const error = await startFailure(
      trusting({ metadataUrl: `${as.origin}/custom.jsn`, issuer: as.issuer, type: 'auto' }),
    );
    expect(error.message).toBe(unresolved([as.issuer, `${as.origin}/custom.jsn: answered 404`]));
    expect(as.paths).toEqual(['/custom.jsn']);
  });

  verifies('ASM-13', 'needs an issuer where the address does not tell it', async () => {
    const as = await bareServer();
    const url = `${as.origin}/custom.json`;
    as.at('/custom.json', as.metadata());
    const error = await startFailure(trusting({ metadataUrl: url }));
    expect(error.message).toBe(
      unresolved([
        url,
        `${url}: does not have a well-known form; add the "issuer" that the document must name, or "trustDocumentIssuer: true"`,
      ]),
    );
    expect(as.paths).toEqual([]);
    const app = await startNotes(trusting({ metadataUrl: url, trustDocumentIssuer: true }));
    expect(await statusOfToken(app, as)).toBe(200);
  });

  verifies(
    'ASM-13',
    'works the issuer out of a well-known address, and holds the document to it',
    async () => {
      const as = await bareServer('/tenant1');
      for (const path of [`${OAUTH}/tenant1`, `${OIDC}/tenant1`, `/tenant1${OIDC}`]) {
        const metadataUrl = `${as.origin}${path}`;
        as.at(path, as.metadata());
        expect(await statusOfToken(await startNotes(trusting({ metadataUrl })), as)).toBe(200);

        const foreign = `${as.origin}/tenant2`;
        as.at(path, as.metadata({ issuer: foreign }));
        const error = await startFailure(trusting({ metadataUrl }));
        const expected = mismatch(metadataUrl, foreign, as.issuer, `${as.issuer}/`);
        expect(error.message).toBe(unresolved([metadataUrl, expected]));
      }
    },
  );

  it('takes an address for well-known only in the form of the configured type', async () => {
    const as = await bareServer();
    as.at(OIDC, as.metadata());
    const metadataUrl = `${as.origin}${OIDC}`;
    await startNotes(trusting({ metadataUrl, type: 'oidc' }));
    expect((await startFailure(trusting({ metadataUrl, type: 'oauth' }))).message).toContain(
      'does not have a well-known form',
    );
  });

  it('holds the document to the configured issuer', async () => {
    const as = await bareServer();
    const url = `${as.origin}/custom.json`;
    as.at('/custom.json', as.metadata({ issuer: `${as.issuer}/` }));
    const error = await startFailure(trusting({ metadataUrl: url, issuer: as.issuer }));
    expect(error.message).toBe(unresolved([as.issuer, mismatch(url, `${as.issuer}/`, as.issuer)]));
  });

  verifies('F08', 'repairs the document at that address', async () => {
    const as = await bareServer();
    const url = `${as.origin}/custom.json`;
    as.at('/custom.json', as.metadata({ jwks_uri: undefined, keys_at: `${as.origin}/jwks` }));
    const server = { metadataUrl: url, issuer: as.issuer };
    const transpileData = (data: Record<string, unknown>) => ({ ...data, jwks_uri: data['keys_at'] });
    const app = await startNotes(trusting({ ...server, transpileData }));
    expect(await statusOfToken(app, as)).toBe(200);

    const error = await startFailure(trusting(server));
    expect(error.message).toBe(unresolved([as.issuer, `${url}: ${WITHOUT_KEYS}`]));
  });
});
