import { describe, expect, it, vi } from 'vitest';
import { type AuthorizationServerMetadata, TokenVerifier } from 'nestjs-mcp-auth';
import { RecordingLogger, startFailure } from '../../fixtures/app.js';
import { mismatch, OAUTH, trusting, unresolved, WITHOUT_KEYS } from '../../fixtures/discovery.js';
import { startNotes, statusOfToken } from '../../fixtures/notes-app.js';
import { NOTES } from '../../fixtures/resources.js';
import { bareServer } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

/** Metadata given by hand, as its type wants it. */
function byHand(metadata: Record<string, unknown>): AuthorizationServerMetadata {
  return metadata as unknown as AuthorizationServerMetadata;
}

describe('transpileData', () => {
  verifies(['F09', 'ASM-14'], 'may return a document or a promise', async () => {
    const as = await bareServer();
    as.at(OAUTH, as.metadata({ jwks_uri: undefined }));
    const repaired = (data: Record<string, unknown>) => ({ ...data, jwks_uri: `${as.origin}/jwks` });
    const later = async (data: Record<string, unknown>): Promise<Record<string, unknown>> => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return repaired(data);
    };
    for (const transpileData of [repaired, later]) {
      const app = await startNotes(trusting({ issuer: as.issuer, transpileData }));
      expect(await statusOfToken(app, as)).toBe(200);
    }
  });

  const boom = new TypeError('no such member');
  verifies('F09', 'fails startup by throwing, with an error that names the server', async () => {
    const as = await bareServer();
    as.at(OAUTH, as.metadata());
    const throwing = () => {
      throw boom;
    };
    const rejecting = () => Promise.reject(boom);
    for (const transpileData of [throwing, rejecting]) {
      const error = await startFailure(trusting({ issuer: as.issuer, transpileData }));
      expect(error.message).toBe(
        unresolved([as.issuer, `${as.origin}${OAUTH}: "transpileData" threw TypeError: no such member`]),
      );
      expect(error.cause).toEqual([expect.objectContaining({ failure: 'transpile_failed', cause: boom })]);
    }
  });

  verifies('ASM-14', 'must return the configured issuer and all that a document needs', async () => {
    const as = await bareServer();
    const url = `${as.origin}${OAUTH}`;
    as.at(OAUTH, as.metadata());
    const results: [unknown, string][] = [
      [as.metadata({ issuer: `${as.issuer}/` }), mismatch(url, `${as.issuer}/`, as.issuer)],
      [as.metadata({ issuer: undefined }), `${url}: has no "issuer"`],
      [
        as.metadata({ jwks_uri: '/jwks' }),
        `${url}: has the "jwks_uri" "/jwks", which is not an absolute URL; write it in full, such as https://api.example.com/mcp`,
      ],
      [undefined, `${url}: "transpileData" did not return an object`],
      [[as.metadata()], `${url}: "transpileData" did not return an object`],
    ];
    for (const [result, message] of results) {
      const transpileData = (() => result) as () => Record<string, unknown>;
      const error = await startFailure(trusting({ issuer: as.issuer, transpileData }));
      expect(error.message).toBe(unresolved([as.issuer, message]));
    }
  });

  it('gets a copy of metadata that is given by hand', async () => {
    const as = await bareServer();
    const metadata = byHand(as.metadata());
    const transpileData = (data: Record<string, unknown>) =>
      Object.assign(data, { issuer: as.issuer, added: true });
    await startNotes(trusting({ metadata, transpileData }));
    expect(metadata).toEqual(as.metadata());
  });
});

describe('metadata by hand', () => {
  verifies(['F10', 'ASM-15'], 'causes no request, except for the keys when a token comes', async () => {
    const as = await bareServer();
    const app = await startNotes(trusting({ metadata: byHand(as.metadata()) }));
    expect(as.paths).toEqual([]);
    expect(await statusOfToken(app, as)).toBe(200);
    expect(as.paths).toEqual(['/jwks']);
  });

  verifies(['F11', 'ASM-15'], 'needs no network at all with keys by hand', async () => {
    const as = await bareServer();
    const fetched = vi.fn<typeof fetch>();
    const jwks = { keys: [as.key.publicJwk] };
    for (const keys of [jwks, () => jwks, () => Promise.resolve(jwks)]) {
      const server = { metadata: { issuer: as.issuer }, jwks: keys };
      const app = await startNotes({ ...trusting(server), fetch: fetched });
      expect(await statusOfToken(app, as)).toBe(200);
    }
    expect(as.paths).toEqual([]);
    expect(fetched).not.toHaveBeenCalled();
  });

  it('is rejected without keys or their address, and when it holds no data', async () => {
    const issuer = 'https://as.example';
    const server = `the metadata given by hand for ${NOTES}`;
    const withoutKeys = await startFailure(trusting({ metadata: { issuer } }));
    expect(withoutKeys.message).toBe(unresolved([server, WITHOUT_KEYS]));
    const metadata = byHand({ issuer, jwks_uri: `${issuer}/jwks`, made: () => 'a function' });
    const withFunction = await startFailure(trusting({ metadata }));
    expect(withFunction.message).toBe(
      unresolved([server, 'has a member that is no data, such as a function']),
    );
  });
});

describe('members of a document', () => {
  verifies(['F13', 'ASM-16'], 'are kept when unknown, and harm nothing', async () => {
    const as = await bareServer();
    const known = JSON.stringify(as.metadata({ 'x-vendor': { deep: [1] } })).slice(1);
    const hostile = `{"__proto__":{"admin":true,"issuer":"https://evil.example"},"constructor":{"prototype":{"admin":true}},${known}`;
    as.at(OAUTH, (_, response) => response.end(hostile));
    const app = await startNotes(trusting(as.issuer));
    const verify = vi.spyOn(app.app.get(TokenVerifier, { strict: false }), 'verify');
    expect(await statusOfToken(app, as)).toBe(200);
    const metadata = await verify.mock.calls[0]![1].authorizationServers.get(as.issuer)!.metadata();
    expect(metadata).toMatchObject({ issuer: as.issuer, 'x-vendor': { deep: [1] } });
    expect(Object.getPrototypeOf(metadata)).toBe(Object.prototype);
    expect(Object.keys(metadata)).toEqual(expect.arrayContaining(['__proto__', 'constructor']));
    expect({}).not.toHaveProperty('admin');
  });

  verifies('ASM-16', 'add no issuer if they are named __proto__', async () => {
    const as = await bareServer();
    const rest = JSON.stringify(as.metadata({ issuer: undefined })).slice(1);
    as.at(OAUTH, (_, response) => response.end(`{"__proto__":{"issuer":"${as.issuer}"},${rest}`));
    const error = await startFailure(trusting(as.issuer));
    expect(error.message).toBe(unresolved([as.issuer, `${as.origin}${OAUTH}: has no "issuer"`]));
  });
});

describe('a member that only MCP clients need', () => {
  const CODES: [string, Record<string, unknown>, string][] = [
    [
      'authorization_endpoint_missing',
      { authorization_endpoint: undefined },
      'no "authorization_endpoint": clients cannot send people to log in',
    ],
    [
      'token_endpoint_missing',
      { token_endpoint: undefined },
      'no "token_endpoint": clients cannot get tokens',
    ],
    [
      'code_response_type_missing',
      { response_types_supported: ['token'] },
      '"response_types_supported" lacks "code"',
    ],
    [
      'authorization_code_grant_missing',
      { grant_types_supported: ['client_credentials'] },
      '"grant_types_supported" lacks "authorization_code"',
    ],
    [
      'pkce_missing',
      { code_challenge_methods_supported: undefined },
      'no "code_challenge_methods_supported": MCP clients reject a server that does not announce PKCE',
    ],
    [
      'pkce_s256_missing',
      { code_challenge_methods_supported: ['plain'] },
      '"code_challenge_methods_supported" lacks "S256"',
    ],
  ];

  verifies(
    ['F14', 'F12', 'F15', 'ASM-10'],
    'causes a warning with a stable code if missing, and tokens work',
    async () => {
      const as = await bareServer();
      for (const [code, overrides, message] of CODES) {
        as.at(OAUTH, as.metadata(overrides));
        const log = new RecordingLogger();
        const app = await startNotes(trusting(as.issuer), log);
        expect(log.warnings).toEqual([
          `${as.issuer}: ${message} [${code}]; see docs/operations/health.md#${code}`,
        ]);
        expect(await statusOfToken(app, as)).toBe(200);
      }
    },
  );

  verifies(['F14', 'F12', 'ASM-10'], 'fails startup by choice if missing', async () => {
    const as = await bareServer();
    for (const [code, overrides, message] of CODES) {
      as.at(OAUTH, as.metadata(overrides));
      const error = await startFailure(trusting({ issuer: as.issuer, mcpCompliance: 'error' }));
      expect(error.message).toBe(
        unresolved([as.issuer, `${as.origin}${OAUTH}: does not serve MCP clients: ${code} (${message})`]),
      );
    }
  });

  verifies('ASM-10', 'causes no warning by choice, nor if the document is complete', async () => {
    const as = await bareServer();
    as.at(OAUTH, { issuer: as.issuer, jwks_uri: `${as.origin}/jwks` });
    const log = new RecordingLogger();
    const app = await startNotes(trusting({ issuer: as.issuer, mcpCompliance: 'off' }), log);
    expect(await statusOfToken(app, as)).toBe(200);
    // A server that logs nobody in, of which that is said.
    as.at(OAUTH, {
      ...as.metadata(),
      grant_types_supported: ['client_credentials'],
      authorization_endpoint: undefined,
    });
    await startNotes(trusting({ issuer: as.issuer, mcpCompliance: 'off' }), log);
    as.at(OAUTH, as.metadata({ grant_types_supported: undefined }));
    await startNotes(trusting({ issuer: as.issuer, mcpCompliance: 'error' }), log);
    expect(log.warnings).toEqual([]);
  });

  verifies('F15', 'warns once of a document that is like others except for PKCE', async () => {
    const as = await bareServer();
    const entraLike = { code_challenge_methods_supported: undefined, grant_types_supported: undefined };
    as.at(OAUTH, as.metadata(entraLike));
    const log = new RecordingLogger();
    await startNotes(trusting(as.issuer), log);
    expect(log.warnings).toHaveLength(1);
    expect(log.warnings[0]).toContain('[pkce_missing]; see docs/operations/health.md#pkce_missing');
  });
});
