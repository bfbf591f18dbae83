import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LoopbackAuthorizationServer } from '../../test/fixtures/authorization-server.js';
import { verifies } from '../../test/verifies.js';
import type { AuthorizationServerOptions } from '../options/authorization-server-options.js';
import { resolveOptions } from '../options/resolve-options.js';
import { type Resolution, resolveMetadata } from './resolve-metadata.js';

const OAUTH = '/.well-known/oauth-authorization-server';
const OIDC = '/.well-known/openid-configuration';

describe('resolveMetadata', () => {
  let as: LoopbackAuthorizationServer;

  const start = async (path: string): Promise<void> => {
    as = await LoopbackAuthorizationServer.start(path, { serve: false });
  };

  beforeEach(() => start('/t'));

  afterEach(() => as.close());

  const resolve = (
    server: AuthorizationServerOptions,
    signal = AbortSignal.timeout(5000),
  ): Promise<Resolution> => {
    const { resources, fetch } = resolveOptions({
      resources: { resource: 'https://api.example.com', authorizationServers: [server] },
    });
    return resolveMetadata(resources[0]!.authorizationServers[0]!, { fetch, signal });
  };

  /** The failures in order, as the operator reads them. */
  const failures = async (server: AuthorizationServerOptions, signal?: AbortSignal): Promise<unknown> =>
    (await resolve(server, signal)).attempts?.map(({ failure, message }) => [failure, message]);

  verifies('ASM-01', 'asks the three locations of auto in order, until one answers', async () => {
    const [first, second, third] = [`${OAUTH}/t`, `${OIDC}/t`, `/t${OIDC}`];
    for (const [at, asked] of [
      [first, [first]],
      [second, [first, second]],
      [third, [first, second, third]],
    ] as const) {
      await as.close();
      await start('/t');
      as.at(at, as.metadata());
      expect(await resolve({ issuer: as.issuer })).toEqual({ metadata: as.metadata() });
      expect(as.paths).toEqual(asked);
    }
  });

  verifies('ASM-01', 'names every location tried when none has a document', async () => {
    const { origin, issuer } = as;
    expect(await failures({ issuer })).toEqual([
      ['not_found', `${origin}${OAUTH}/t: answered 404`],
      ['not_found', `${origin}${OIDC}/t: answered 404`],
      ['not_found', `${origin}/t${OIDC}: answered 404`],
    ]);
  });

  verifies('ASM-02', 'asks one location for oauth and one for oidc', async () => {
    as.at(`/t${OIDC}`, as.metadata());
    expect(await failures({ issuer: as.issuer, type: 'oauth' })).toHaveLength(1);
    expect(await resolve({ issuer: as.issuer, type: 'oidc' })).toHaveProperty('metadata');
    expect(as.paths).toEqual([`${OAUTH}/t`, `/t${OIDC}`]);
  });

  verifies('ASM-03', 'leaves a slash out of the location and keeps it in the comparison', async () => {
    await as.close();
    await start('/');
    as.at(OAUTH, as.metadata());
    expect(await resolve({ issuer: `${as.origin}/` })).toHaveProperty('metadata.issuer', `${as.origin}/`);
    expect(as.paths).toEqual([OAUTH]);
    expect(await failures({ issuer: as.origin })).toMatchObject([['issuer_mismatch', expect.any(String)]]);
  });

  it('ends the search at an outage or a wrong document', async () => {
    as.at(`${OIDC}/t`, as.metadata());
    as.at(`${OAUTH}/t`, (_request, response) => response.writeHead(500).end());
    expect(await failures({ issuer: as.issuer })).toMatchObject([['server_error', expect.any(String)]]);
    as.at(`${OAUTH}/t`, as.metadata({ issuer: as.origin }));
    expect(await failures({ issuer: as.issuer })).toMatchObject([['issuer_mismatch', expect.any(String)]]);
    as.at(`${OAUTH}/t`, as.metadata({ jwks_uri: '/jwks' }));
    expect(await failures({ issuer: as.issuer })).toMatchObject([['metadata_invalid', expect.any(String)]]);
    as.at(`${OAUTH}/t`, (_request, response) => response.end('<html>'));
    expect(await resolve({ issuer: as.issuer })).toHaveProperty('metadata');
  });

  it('works out the issuer of an address of well-known form, and takes either slash', async () => {
    as.at(`${OAUTH}/t`, as.metadata());
    const metadataUrl = `${as.origin}${OAUTH}/t`;
    expect(await resolve({ metadataUrl })).toHaveProperty('metadata');
    as.at(`${OAUTH}/t`, as.metadata({ issuer: `${as.issuer}/` }));
    expect(await resolve({ metadataUrl })).toHaveProperty('metadata.issuer', `${as.issuer}/`);
    as.at(`${OAUTH}/t`, as.metadata({ issuer: 'https://evil.example' }));
    expect(await failures({ metadataUrl })).toMatchObject([['issuer_mismatch', expect.any(String)]]);
  });

  it('wants an issuer, or trust, for any other address', async () => {
    as.at('/m.json', as.metadata());
    const metadataUrl = `${as.origin}/m.json`;
    expect(await failures({ metadataUrl })).toEqual([
      [
        'metadata_invalid',
        `${metadataUrl}: does not have a well-known form; add the "issuer" that the document must name, or "trustDocumentIssuer: true"`,
      ],
    ]);
    expect(as.paths).toEqual([]);
    expect(await resolve({ metadataUrl, issuer: as.issuer })).toHaveProperty('metadata');
    expect(await failures({ metadataUrl, issuer: as.origin })).toMatchObject([
      ['issuer_mismatch', expect.any(String)],
    ]);
    expect(await resolve({ metadataUrl, trustDocumentIssuer: true })).toHaveProperty(
      'metadata.issuer',
      as.issuer,
    );
  });

  it('takes metadata given by hand without any request', async () => {
    expect(await resolve({ metadata: { ...as.metadata(), issuer: as.issuer } })).toEqual({
      metadata: as.metadata(),
    });
    expect(await failures({ metadata: { issuer: as.issuer } })).toMatchObject([
      ['metadata_invalid', expect.stringMatching(/^has no "jwks_uri"/)],
    ]);
    expect(await failures({ metadata: { issuer: as.issuer, x_f: () => undefined } as never })).toMatchObject([
      ['metadata_invalid', expect.stringMatching(/^has a member that is no/)],
    ]);
    expect(as.paths).toEqual([]);
  });

  it('checks what transpileData makes of a document', async () => {
    as.at(`${OAUTH}/t`, as.metadata({ jwks_uri: undefined }));
    const { issuer, origin } = as;
    const repair = (data: Record<string, unknown>) => ({ ...data, jwks_uri: `${origin}/jwks` });
    expect(await resolve({ issuer, transpileData: repair })).toHaveProperty(
      'metadata.jwks_uri',
      `${origin}/jwks`,
    );
    expect(await resolve({ issuer, transpileData: (data) => Promise.resolve(repair(data)) })).toHaveProperty(
      'metadata',
    );
    expect(
      await failures({
        issuer,
        transpileData: (data) => ({ ...repair(data), issuer: 'https://evil.example' }),
      }),
    ).toMatchObject([['issuer_mismatch', expect.any(String)]]);
  });

  it.each<[string, () => unknown, string]>([
    [
      'throws',
      () => {
        throw new Error('no');
      },
      '"transpileData" threw Error: no',
    ],
    ['rejects', () => Promise.reject(new Error('no')), '"transpileData" threw Error: no'],
    ['gives nothing', () => undefined, '"transpileData" did not return an object'],
    ['gives null', () => null, '"transpileData" did not return an object'],
    ['gives a list', () => [], '"transpileData" did not return an object'],
  ])('ends the search where transpileData %s', async (_what, transpileData, detail) => {
    as.at(`${OAUTH}/t`, as.metadata());
    const attempts = await failures({ issuer: as.issuer, transpileData: transpileData as never });
    expect(attempts).toEqual([['transpile_failed', `${as.origin}${OAUTH}/t: ${detail}`]]);
  });

  it('waits for transpileData no longer than the time limit', async () => {
    as.at(`${OAUTH}/t`, as.metadata());
    const transpileData = (): Promise<never> => new Promise(() => undefined);
    const attempts = await failures({ issuer: as.issuer, transpileData }, AbortSignal.timeout(300));
    expect(attempts).toEqual([['timeout', `${as.origin}${OAUTH}/t: "transpileData" did not end in time`]]);
  });

  it('rejects a document that does not serve MCP clients, where that is asked for', async () => {
    const lacking = { registration_endpoint: undefined, client_id_metadata_document_supported: undefined };
    as.at(`${OAUTH}/t`, as.metadata({ token_endpoint: undefined, ...lacking }));
    expect(await resolve({ issuer: as.issuer })).toHaveProperty('metadata');
    expect(await resolve({ issuer: as.issuer, mcpCompliance: 'off' })).toHaveProperty('metadata');
    expect(await failures({ issuer: as.issuer, mcpCompliance: 'error' })).toEqual([
      [
        'metadata_invalid',
        `${as.origin}${OAUTH}/t: does not serve MCP clients: token_endpoint_missing (no "token_endpoint": clients cannot get tokens); registration_missing (neither "client_id_metadata_document_supported" nor "registration_endpoint": clients must be registered by hand)`,
      ],
    ]);
    as.at(`${OAUTH}/t`, as.metadata());
    expect(await resolve({ issuer: as.issuer, mcpCompliance: 'error' })).toHaveProperty('metadata');
  });
});
