import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import type { ResolvedMcpAuthOptions } from './resolved-options.interface.js';
import { resolveOptions } from './resolve-options.js';

const ISSUER = 'https://as.example';
const KEYS = { verifier: () => null, issuer: 'urn:example:api-keys' };

const resolve = (...resources: object[]): ResolvedMcpAuthOptions =>
  resolveOptions({
    resources: resources.map((more, at) => ({
      resource: `https://api.example.com/${String(at)}`,
      authorizationServers: [ISSUER],
      ...more,
    })),
  });

/** The problems as lines, or nothing where the options are right. */
function problemsOf(act: () => unknown): string[] {
  try {
    act();
    return [];
  } catch (error) {
    if (!(error instanceof McpAuthConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

const ofKeys = (apiKeys: unknown, more: object = {}): string[] =>
  problemsOf(() => resolve({ apiKeys, ...more }));

describe('the option "apiKeys"', () => {
  it('is off by default, and has the usual header', () => {
    expect(resolve({}).resources[0]?.apiKeys).toBeUndefined();
    expect(resolve({ apiKeys: undefined }).resources[0]?.apiKeys).toBeUndefined();
    expect(resolve({ apiKeys: KEYS }).resources[0]?.apiKeys).toEqual({ ...KEYS, header: 'x-api-key' });
  });

  verifies('AKY-12', 'takes a header of its own, in any letter case', () => {
    for (const header of ['x-api-key', 'X-API-Key', 'Api-Key', 'X-Acme_Key', 'apikey', 'x-mcpkey', 'x-host'])
      expect(resolve({ apiKeys: { ...KEYS, header } }).resources[0]?.apiKeys?.header).toBe(
        header.toLowerCase(),
      );
    const reserved = [
      ...['authorization', 'Authorization', 'Proxy-Authorization', 'cookie', 'Set-Cookie', 'DPoP', 'host'],
      ...['origin', 'Mcp-Session-Id', 'mcp-key', 'MCP-x', 'content-type', 'Sec-Fetch-Site', 'forwarded'],
      ...[
        'x-forwarded-for',
        'accept',
        'accept-language',
        'if-match',
        'connection',
        'transfer-encoding',
        'te',
      ],
      ...['client-cert', 'traceparent', 'access-control-request-headers', 'last-event-id', 'user-agent'],
    ];
    for (const header of reserved)
      expect(ofKeys({ ...KEYS, header })).toEqual([
        `resources[0].apiKeys.header: must be a header of its own for keys, such as x-api-key: this one has another meaning; got "${header}"`,
      ]);
    for (const header of ['x api', 'x-api-key:', 'schlüssel', ':path', 'a,b', 'x\n'])
      expect(ofKeys({ ...KEYS, header })[0]).toContain('must be the name of a header');
    for (const header of ['', null, 7, ['x-api-key']])
      expect(ofKeys({ ...KEYS, header })[0]).toContain('apiKeys.header: must be a non-empty string');
  });

  verifies('AKY-12', 'needs a verifier and an issuer', () => {
    expect(ofKeys({})).toEqual([
      'resources[0].apiKeys.verifier: must be a class or an object with a method "verify", or a function; got undefined',
      'resources[0].apiKeys.issuer: must be a non-empty string; got undefined',
    ]);
    for (const apiKeys of [true, 'x-api-key', null, [KEYS]])
      expect(ofKeys(apiKeys)[0]).toContain('resources[0].apiKeys: must be an object');
    expect(ofKeys({ ...KEYS, headers: 'x' })).toEqual([
      'resources[0].apiKeys.headers: is not an option. Did you mean "header"?',
    ]);
  });

  verifies('AKY-12', 'leaves a verifier that is an object as it is, open and by its methods', () => {
    const client = { open: true };
    const verifier = { client, verify: (key: string) => ({ key, client: verifier.client }) };
    const { apiKeys } = resolve({ apiKeys: { ...KEYS, verifier } }).resources[0]!;
    expect((apiKeys!.verifier as (key: string) => unknown)('k')).toEqual({ key: 'k', client });
    expect(Object.isFrozen(verifier) || Object.isFrozen(client)).toBe(false);
    class Own {
      verify(): null {
        return null;
      }
    }
    expect(resolve({ apiKeys: { ...KEYS, verifier: Own } }).resources[0]?.apiKeys?.verifier).toBe(Own);
  });

  verifies('AKY-12', 'needs an issuer whose subjects are no others', () => {
    const verifier = (): null => null;
    const message =
      'is also in "privateIssuers", whose subjects are others; give the keys an issuer of their own';
    expect(problemsOf(() => resolve({ apiKeys: KEYS }, { verifier, privateIssuers: [KEYS.issuer] }))).toEqual(
      [`resources[0].apiKeys.issuer: ${message}`],
    );
    expect(problemsOf(() => resolve({ apiKeys: KEYS }, { apiKeys: KEYS }))).toEqual([]);
    expect(ofKeys({ ...KEYS, issuer: 'urn:nestjs-mcp-auth:keys' })[0]).toContain('must not begin with');
  });

  verifies('AKY-13', 'is no way around required bindings', () => {
    const unbound =
      'resources[0].apiKeys: accepts keys, which are bound to nothing, where "dpop" or "mutualTls" require bound tokens; leave it out, or let them allow tokens that are not bound';
    for (const more of [
      { dpop: 'required' },
      { dpop: { mode: 'required' } },
      { mutualTls: { required: true } },
    ])
      expect(ofKeys(KEYS, more)).toEqual([unbound]);
    for (const more of [{ dpop: 'allowed' }, { dpop: 'off' }, { mutualTls: true }, { mutualTls: {} }])
      expect(ofKeys(KEYS, more)).toEqual([]);
  });

  verifies('AKY-12', 'does not share the header of certificates', () => {
    const trustedProxies = ['127.0.0.1'];
    const withHeader = (name: string): object => ({
      mutualTls: { certificateHeader: { name, format: 'xfcc', trustedProxies } },
    });
    expect(ofKeys(KEYS, withHeader('X-Api-KEY'))).toEqual([
      'resources[0].apiKeys.header: is also the header of "mutualTls.certificateHeader"; give the keys another header',
    ]);
    expect(ofKeys(KEYS, withHeader('x-client-cert'))).toEqual([]);
  });
});

describe('the option "allowedClients"', () => {
  const ofClients = (allowedClients: unknown): string[] => problemsOf(() => resolve({ allowedClients }));
  const path = 'resources[0].allowedClients';

  it('allows every client by default, and has each id and origin once', () => {
    expect(resolve({}).resources[0]?.allowedClients).toBeUndefined();
    const allowedClients = {
      clientIds: ['cli', 'CLI', 'cli'],
      origins: [
        'https://App.Example:443',
        'https://app.example',
        'http://127.0.0.1:8080',
        'https://xn--bcher-kva.example:8443',
      ],
    };
    expect(resolve({ allowedClients }).resources[0]?.allowedClients).toEqual({
      clientIds: ['cli', 'CLI'],
      origins: ['https://app.example/', 'http://127.0.0.1:8080/', 'https://xn--bcher-kva.example:8443/'],
    });
    expect(resolve({ allowedClients: { clientIds: ['cli'] } }).resources[0]?.allowedClients?.origins).toEqual(
      [],
    );
    expect(
      resolve({ allowedClients: { origins: ['https://a.example'] } }).resources[0]?.allowedClients?.clientIds,
    ).toEqual([]);
  });

  verifies('CRL-09', 'names a client', () => {
    for (const none of [{}, { clientIds: [] }, { origins: [] }, { clientIds: [], origins: [] }])
      expect(ofClients(none)).toEqual([
        `${path}: needs "clientIds" or "origins": without both, no client may use the resource`,
      ]);
    expect(ofClients({ clientIds: [], origins: ['https://a.example'] })).toEqual([]);
    for (const wrong of [['cli'], 'cli', true, null])
      expect(ofClients(wrong)[0]).toContain(`${path}: must be an object`);
    for (const id of ['', ' cli', 'cli\n', undefined, 7])
      expect(ofClients({ clientIds: [id] })[0]).toContain(`${path}.clientIds: member 0 `);
  });

  verifies('CRL-09', 'names origins that are exactly origins', () => {
    const wrong = [
      ...['*', 'https://*.example', 'https://a.example:*', 'https://a.example/', 'https://a.example/client'],
      ...[
        'https://u@a.example',
        'a.example',
        'http://a.example',
        'ftp://a.example',
        'https://bücher.example',
      ],
      ...['https://a.example?x', 'https://a.example#x', 'null', '', 'https://', 'https://1.2.3'],
    ];
    for (const origin of wrong)
      expect([origin, ofClients({ origins: [origin] })]).toEqual([
        origin,
        [expect.stringContaining(`${path}.origins: member 0 `)],
      ]);
    expect(
      ofClients({ origins: ['http://localhost:3000', 'http://[::1]', 'https://a.example:8443'] }),
    ).toEqual([]);
  });
});
