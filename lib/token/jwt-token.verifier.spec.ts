import { generateKeyPairSync, sign } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { CompactSign, exportSPKI, importJWK, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { LoopbackAuthorizationServer } from '../../test/fixtures/authorization-server.js';
import { makeKey, type SigningKey } from '../../test/fixtures/keys.js';
import { registriesOf } from '../../test/fixtures/registries.js';
import { verifies } from '../../test/verifies.js';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import type {
  AuthorizationServerMetadata,
  AuthorizationServerOptions,
} from '../options/authorization-server-options.js';
import { resolveOptions } from '../options/resolve-options.js';
import type { IntrospectionTokenVerifier } from './introspection-token.verifier.js';
import { IssuerTokenVerifier } from './issuer-token.verifier.js';
import { decodeClaims } from './decode-jws.js';
import { JwtTokenVerifier } from './jwt-token.verifier.js';
import type { TokenClaims } from '../options/token.verifier.js';

const RESOURCE = 'https://api.example.com/notes';

type Verify = (token: string) => Promise<TokenClaims>;

type Given = string | AuthorizationServerOptions | { now: () => Date };

/** The verifier of a resource that trusts these servers, by this clock if there is one among them. */
async function verifierFor(...given: Given[]): Promise<Verify> {
  const clock = given.find((each) => typeof each === 'object' && 'now' in each);
  const authorizationServers = given.filter((each) => each !== clock);
  const options = resolveOptions({ ...clock, resources: { resource: RESOURCE, authorizationServers } });
  const { servers, keys } = registriesOf(options);
  await servers.discover();
  const noIntrospection = {} as IntrospectionTokenVerifier;
  const verifier = new IssuerTokenVerifier(new JwtTokenVerifier(keys), noIntrospection);
  const context = {
    resource: RESOURCE,
    authorizationServers: servers.of(options.resources[0]!),
    signal: new AbortController().signal,
  };
  return async (token) => (await verifier.verify(token, context))?.claims ?? {};
}

/** Why a token is rejected; `authenticated` where it is not. Anything but a rejection fails the test. */
async function outcome(verify: Verify, token: string): Promise<string> {
  try {
    await verify(token);
    return 'authenticated';
  } catch (error) {
    expect(error).toBeInstanceOf(TokenRejectedError);
    return (error as TokenRejectedError).reason;
  }
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

const signBytes = (
  { alg, kid, privateKey }: SigningKey,
  payload: string | Buffer,
  header = {},
): Promise<string> =>
  new CompactSign(typeof payload === 'string' ? new TextEncoder().encode(payload) : payload)
    .setProtectedHeader({ alg, kid, ...header })
    .sign(privateKey);

/** A JWS whose header is signed as it stands, however wrong. */
async function signRaw({ privateKey }: SigningKey, header: unknown, payload: string): Promise<string> {
  const input = `${encode(header)}.${payload}`;
  const signature = await crypto.subtle.sign(
    'RSASSA-PKCS1-v1_5',
    privateKey,
    new TextEncoder().encode(input),
  );
  return `${input}.${Buffer.from(signature).toString('base64url')}`;
}

describe('JwtTokenVerifier', () => {
  let as: LoopbackAuthorizationServer;
  let other: LoopbackAuthorizationServer;
  let canary: LoopbackAuthorizationServer;
  let ec: SigningKey;
  let verify: Verify;
  let logged: string[];

  beforeAll(async () => {
    [as, other, canary] = await Promise.all([
      LoopbackAuthorizationServer.start(),
      LoopbackAuthorizationServer.start('/tenant1'),
      LoopbackAuthorizationServer.start(),
    ]);
    ec = await makeKey('ES256');
    verify = await verifierFor(as.issuer);
    const record = (message: unknown): void => {
      logged.push(String(message));
    };
    Logger.overrideLogger({ log: record, error: record, warn: record, debug: record });
  });

  beforeEach(() => {
    logged = [];
    as.at('/jwks', { keys: [as.key.publicJwk, ec.publicJwk] });
    canary.requests.length = 0;
  });

  afterAll(async () => {
    Logger.overrideLogger(false);
    await Promise.all([as.close(), other.close(), canary.close()]);
  });

  it('gives the claims of a good token, whatever they say', async () => {
    const claims = await verify(await as.token({ aud: 'elsewhere', exp: 1, x: [null] }));
    expect(claims).toMatchObject({ iss: as.issuer, sub: 'u1', aud: 'elsewhere', exp: 1, x: [null] });
  });

  describe('algorithms', () => {
    verifies(['JWT-01', 'F45'], 'takes asymmetric algorithms, and only those configured', async () => {
      const keys = await Promise.all(
        [
          'RS256',
          'RS384',
          'RS512',
          'PS256',
          'PS384',
          'PS512',
          'ES256',
          'ES384',
          'ES512',
          'EdDSA',
          'Ed25519',
        ].map((alg) => makeKey(alg)),
      );
      const jwks = { keys: keys.map(({ publicJwk }) => publicJwk) };
      const all = await verifierFor({ issuer: as.issuer, jwks });
      const one = await verifierFor({ issuer: as.issuer, jwks, algorithms: ['ES256'] });
      for (const key of keys) {
        const token = await as.token({}, { key });
        expect(await outcome(all, token)).toBe('authenticated');
        expect(await outcome(one, token)).toBe(key.alg === 'ES256' ? 'authenticated' : 'algorithm');
      }
    });

    verifies(
      ['JWT-02', 'F45'],
      'rejects alg none in every spelling, with and without a signature',
      async () => {
        const [, payload, signature] = (await as.token({})).split('.');
        for (const alg of ['none', 'None', 'NONE', 'nOnE', '']) {
          const header = encode({ alg, kid: as.key.kid });
          expect(await outcome(verify, `${header}.${String(payload)}.`)).not.toBe('authenticated');
          expect(await outcome(verify, `${header}.${String(payload)}.${String(signature)}`)).not.toBe(
            'authenticated',
          );
        }
        expect(await outcome(verify, `${encode({ alg: 'none' })}.${String(payload)}.`)).toBe('algorithm');
        expect(await outcome(verify, `${encode({})}.${String(payload)}.${String(signature)}`)).toBe(
          'malformed',
        );
      },
    );

    verifies(['JWT-03', 'F45'], 'rejects HS256 with the public key for a secret', async () => {
      const { publicJwk, kid } = as.key;
      const publicKey = (await importJWK(publicJwk, 'RS256', { extractable: true })) as CryptoKey;
      const pem = await exportSPKI(publicKey);
      const secrets = [
        Buffer.from(pem),
        Buffer.from(pem.replace(/-----.*-----|\n/g, ''), 'base64'),
        Buffer.from(JSON.stringify(publicJwk)),
        Buffer.from(publicJwk.n ?? '', 'base64url'),
      ];
      for (const secret of secrets) {
        for (const header of [{ kid }, {}]) {
          const token = await new SignJWT({ iss: as.issuer })
            .setProtectedHeader({ alg: 'HS256', ...header })
            .sign(secret);
          expect(await outcome(verify, token)).toBe('algorithm');
        }
      }
    });

    it('rejects an algorithm of another kind than the key', async () => {
      const [, payload] = (await as.token({})).split('.');
      expect(
        await outcome(verify, await signRaw(as.key, { alg: 'ES256', kid: as.key.kid }, String(payload))),
      ).toBe('unknown_key');
      expect(await outcome(verify, await signRaw(as.key, { alg: 'PS256' }, String(payload)))).toBe(
        'unknown_key',
      );
    });
  });

  describe('keys', () => {
    it('rejects a changed token', async () => {
      const [header, payload, signature = ''] = (await as.token({ sub: 'u1' })).split('.');
      const changed = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
      expect(await outcome(verify, [header, payload, signature].join('.'))).toBe('authenticated');
      expect(await outcome(verify, [header, payload, changed].join('.'))).toBe('signature');
      expect(
        await outcome(verify, [header, encode({ iss: as.issuer, sub: 'root' }), signature].join('.')),
      ).toBe('signature');
      expect(await outcome(verify, [header, payload, ''].join('.'))).toBe('signature');
      expect(await outcome(verify, [header, payload, `${signature}AAAA`].join('.'))).toBe('signature');
    });

    verifies('JWT-05', 'rejects a token by a weak RSA key, and tells the operator', async () => {
      const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 1024 });
      const weak = { ...publicKey.export({ format: 'jwk' }), kid: 'weak', alg: 'RS256' } as JWK;
      const input = `${encode({ alg: 'RS256', kid: 'weak' })}.${encode({ iss: as.issuer })}`;
      const token = `${input}.${sign('RSA-SHA256', Buffer.from(input), privateKey).toString('base64url')}`;
      const withWeak = await verifierFor({ issuer: as.issuer, jwks: { keys: [weak, as.key.publicJwk] } });
      expect(await outcome(withWeak, token)).toBe('unusable_key');
      expect(await outcome(withWeak, token)).toBe('unusable_key');
      expect(logged).toEqual([
        `${as.issuer} signed a token with a key that cannot be used, such as RSA below 2048 bits`,
      ]);
      expect(await outcome(withWeak, await as.token({}))).toBe('authenticated');
      expect(await outcome(withWeak, await as.token({}, { header: { kid: undefined } }))).toBe(
        'authenticated',
      );
    });

    it('rejects a token by a key that is no key, and tells of members that it leaves out', async () => {
      const broken = { kty: 'RSA', kid: 'broken', alg: 'RS256', n: '!', e: 'AQAB' };
      as.at('/jwks', { keys: [broken, as.key.publicJwk, { kty: 'oct', k: 'c2VjcmV0' }] });
      const fetched = await verifierFor(as.issuer);
      expect(await outcome(fetched, await as.token({}, { header: { kid: 'broken' } }))).toBe('unusable_key');
      expect(logged[0]).toBe(`${as.issuer} publishes 1 key that cannot be used; left out`);
      expect(await outcome(fetched, await as.token({}))).toBe('authenticated');
    });

    verifies('JWT-09', 'never uses a key that the header brings or points to', async () => {
      const attacker = await makeKey('RS256', as.key.kid);
      canary.at('/jwks', { keys: [attacker.publicJwk] });
      for (const header of [
        { jwk: attacker.publicJwk },
        { jku: `${canary.origin}/jwks` },
        { x5u: `${canary.origin}/cert` },
        { x5c: [Buffer.from('certificate').toString('base64')] },
        { jwk: attacker.publicJwk, kid: undefined },
        { jku: `${canary.origin}/jwks`, kid: `${canary.origin}/jwks` },
      ]) {
        expect(await outcome(verify, await as.token({}, { key: attacker, header }))).toMatch(
          /^(signature|unknown_key)$/,
        );
        const good = await outcome(verify, await as.token({}, { header: { ...header, kid: as.key.kid } }));
        expect(good).toBe('authenticated');
      }
      expect(canary.requests).toEqual([]);
    });

    verifies(
      'JWT-11',
      'tries every fitting key where kid is absent or ambiguous, eight at most',
      async () => {
        const keys = await Promise.all(Array.from({ length: 9 }, () => makeKey('ES256', 'same')));
        for (const strip of [false, true]) {
          const published = keys.map(({ publicJwk }) =>
            strip ? { ...publicJwk, kid: undefined } : publicJwk,
          );
          const many = await verifierFor({ issuer: as.issuer, jwks: { keys: published as JWK[] } });
          const by = async (key: SigningKey): Promise<string> =>
            outcome(many, await as.token({}, { key, header: strip ? { kid: undefined } : {} }));
          expect(await by(keys[0]!)).toBe('authenticated');
          expect(await by(keys[7]!)).toBe('authenticated');
          expect(await by(keys[8]!)).toBe('signature');
          expect(await by(ec)).toMatch(/^(signature|unknown_key)$/);
        }
      },
    );

    it('rejects, among several fitting keys, what fits none or is no signature', async () => {
      const keys = [await makeKey('ES256', 'a'), await makeKey('ES256', 'b')];
      const two = await verifierFor({
        issuer: as.issuer,
        jwks: { keys: keys.map(({ publicJwk }) => publicJwk) },
      });
      const token = await as.token({}, { key: keys[1]!, header: { kid: undefined } });
      expect(await outcome(two, token)).toBe('authenticated');
      expect(await outcome(two, await as.token({}, { key: ec, header: { kid: undefined } }))).toBe(
        'signature',
      );
      expect(await outcome(two, `${token.slice(0, token.lastIndexOf('.'))}.!!`)).toBe('malformed');
    });

    verifies(
      'JWT-22',
      'takes the keys of an issuer for its own tokens only, also under the same kid',
      async () => {
        expect(as.key.kid).toBe(other.key.kid);
        const both = await verifierFor(as.issuer, other.issuer);
        for (const claimed of [as, other]) {
          for (const signer of [as, other]) {
            const token = await claimed.token({}, { key: signer.key });
            expect(await outcome(both, token)).toBe(claimed === signer ? 'authenticated' : 'signature');
          }
        }
      },
    );

    it.each<unknown>([
      ...[
        '',
        'unknown',
        '__proto__',
        'constructor',
        '../../jwks',
        "' OR 1=1 --",
        'RS256-key\u0000',
        'rs256-key',
        'k'.repeat(5000),
      ],
    ])('rejects the kid %j', async (kid) => {
      expect(await outcome(verify, await as.token({}, { header: { kid } }))).toBe('unknown_key');
    });

    it.each<unknown>([7, null, ['RS256-key'], { kid: 'RS256-key' }, true])(
      'does not fail on the kid %j',
      async (kid) => {
        const [, payload] = (await as.token({})).split('.');
        expect(await outcome(verify, await signRaw(as.key, { alg: 'RS256', kid }, String(payload)))).toMatch(
          /^(accepted|malformed|unknown_key)$/,
        );
      },
    );

    it('cannot tell while the keys cannot be fetched', async () => {
      const unavailable = async (): Promise<void> => {
        const fresh = await verifierFor(as.issuer);
        await expect(fresh(await as.token({}))).rejects.toBeInstanceOf(AuthorizationServerUnavailableError);
      };
      as.at('/jwks', (_request, response) => response.writeHead(500).end());
      await unavailable();
      as.at('/jwks', []);
      await unavailable();
      as.at('/jwks', { keys: 'none' });
      await unavailable();
      expect(logged).toEqual(
        ['answered 500', 'answered 200 with JSON that is not an object', 'is not a JWK Set'].map(
          (what) => `Could not fetch the keys of ${as.issuer}: ${as.origin}/jwks: ${what}`,
        ),
      );
    });

    it('tells of keys that it keeps because they cannot be renewed', async () => {
      let time = Date.now();
      const clock = { now: () => new Date(time) };
      const held = await verifierFor({ issuer: as.issuer }, clock);
      const token = await as.token({});
      expect(await outcome(held, token)).toBe('authenticated');
      as.at('/jwks', { keys: [as.key.publicJwk, null, null] });
      time += 600_000;
      expect(await outcome(held, token)).toBe('authenticated');
      expect(logged).toEqual([
        `${as.issuer} publishes 2 keys that cannot be used; left out`,
        `The keys of ${as.issuer} were renewed`,
      ]);
      as.at('/jwks', (_request, response) => response.writeHead(500).end());
      time += 600_000;
      expect(await outcome(held, token)).toBe('authenticated');
      expect(await outcome(held, token)).toBe('authenticated');
      expect(logged.slice(2)).toEqual([
        `Could not fetch the keys of ${as.issuer}: ${as.origin}/jwks: answered 500`,
      ]);
    });

    it('takes a server of the application for one of its own', async () => {
      const options = resolveOptions({
        resources: { resource: RESOURCE, authorizationServers: [as.issuer] },
      });
      const server = {
        issuer: as.issuer,
        options: options.resources[0]!.authorizationServers[0]!,
        metadata: () => Promise.resolve(as.metadata() as unknown as AuthorizationServerMetadata),
      };
      const token = await as.token({});
      const verifier = new JwtTokenVerifier(registriesOf(options).keys);
      const result = await verifier.verify(token, decodeClaims(token), server);
      expect(result).toMatchObject({ requiresExpiry: true, audienceVerified: false });
    });
  });

  describe('issuers', () => {
    verifies('JWT-20', 'takes exactly the issuers of the resource', async () => {
      expect(await outcome(verify, await as.token({}))).toBe('authenticated');
      for (const iss of [
        `${as.issuer}/`,
        as.issuer.replace('http', 'HTTP'),
        `${as.issuer}?`,
        [as.issuer],
        undefined,
        null,
        7,
        '',
        '__proto__',
        other.issuer,
      ]) {
        expect(await outcome(verify, await as.token({ iss }))).toMatch(/^(issuer|malformed)$/);
      }
    });

    verifies('JWT-21', 'requests nothing from an issuer that it does not know', async () => {
      for (const iss of [canary.issuer, `${canary.issuer}/`, `${as.issuer}@${canary.origin.slice(7)}`]) {
        expect(await outcome(verify, await canary.token({ iss }))).toBe('issuer');
      }
      expect(canary.requests).toEqual([]);
    });

    it('reads the last of duplicate members, before and after the signature is verified', async () => {
      const twice = (first: string, last: string): string =>
        `{"iss":"${first}","sub":"a","iss":"${last}","sub":"b"}`;
      expect(await outcome(verify, await signBytes(as.key, twice(as.issuer, other.issuer)))).toBe('issuer');
      expect(await verify(await signBytes(as.key, twice(other.issuer, as.issuer)))).toEqual({
        iss: as.issuer,
        sub: 'b',
      });
    });

    it('takes no claim from a prototype key', async () => {
      const token = await signBytes(as.key, `{"__proto__":{"iss":"${as.issuer}"}}`);
      expect(await outcome(verify, token)).toBe('issuer');
      const claims = await verify(
        await signBytes(as.key, `{"iss":"${as.issuer}","__proto__":{"admin":true}}`),
      );
      expect(claims['admin']).toBeUndefined();
      expect(Object.getPrototypeOf(claims)).toBe(Object.prototype);
    });
  });

  describe('form', () => {
    verifies('JWT-12', 'takes only a compact JWS with three parts', async () => {
      const token = await as.token({});
      const [header = '', payload = '', signature = ''] = token.split('.');
      expect(await outcome(verify, token)).toBe('authenticated');
      for (const bad of [
        ...[
          '',
          '.',
          '..',
          '...',
          'a',
          'a.b',
          'a.b.c',
          'a.b.c.',
          'a.b.c.d',
          'a.b.c.d.e',
          'a..c',
          'opaque-token',
          `${header}.${payload}`,
        ],
        ...[
          `${token}.`,
          `.${token}`,
          `${token}.x.y`,
          `${header}..${signature}`,
          `.${payload}.${signature}`,
          `${header}.${payload}.!`,
        ],
        ...[`${header}=.${payload}.${signature}!`, `!${header}.${payload}.${signature}`],
        JSON.stringify({ payload, protected: header, signature }),
        JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
      ]) {
        expect(await outcome(verify, bad)).toMatch(/^(malformed|signature)$/);
      }
      const nested = await signBytes(as.key, token, { cty: 'JWT' });
      expect(await outcome(verify, nested)).toBe('malformed');
      expect(await outcome(verify, await as.token({}, { header: { cty: 'JWT' } }))).toBe('type');
    });

    verifies('JWT-13', 'takes only a JSON object for a payload', async () => {
      const iss = `"iss":"${as.issuer}"`;
      expect(await outcome(verify, await signBytes(as.key, `{${iss}}`))).toBe('authenticated');
      const invalidUtf8 = Buffer.concat([
        Buffer.from(`{${iss},"sub":"`),
        Buffer.from([0xc3, 0x28]),
        Buffer.from('"}'),
      ]);
      for (const payload of [
        ...[
          '[]',
          '"x"',
          '1',
          'null',
          'true',
          '{}}',
          `{${iss}`,
          `{${iss},}`,
          `[{${iss}}]`,
          `"${as.issuer}"`,
          'NaN',
          `{${iss},"exp":NaN}`,
        ],
        ...['['.repeat(5000) + ']'.repeat(5000), '['.repeat(6000), '{"a":'.repeat(1500)],
        invalidUtf8,
      ]) {
        expect(await outcome(verify, await signBytes(as.key, payload))).toBe('malformed');
      }
      expect(await outcome(verify, await signBytes(as.key, ''))).toBe('malformed');
    });

    it('bears claims that are nested as deep as a token is long', async () => {
      const deep = '['.repeat(2500) + ']'.repeat(2500);
      const token = await signBytes(as.key, `{"iss":"${as.issuer}","a":${deep}}`);
      expect(token.length).toBeLessThan(8192);
      expect(await outcome(verify, token)).toBe('authenticated');
    });

    it('rejects a payload that is not encoded, and extensions that it does not know', async () => {
      const [, payload] = (await as.token({})).split('.');
      for (const header of [
        { b64: false, crit: ['b64'] },
        { crit: ['exp'], exp: 1 },
        { crit: [] },
        { crit: 'b64' },
        { crit: ['b64'] },
        { alg: ['RS256'] },
        { alg: null },
        { alg: '__proto__' },
        { alg: 'toString' },
      ]) {
        const token = await signRaw(as.key, { alg: 'RS256', kid: as.key.kid, ...header }, String(payload));
        expect(await outcome(verify, token)).toMatch(/^(malformed|algorithm)$/);
      }
    });

    it.each(['[]', 'null', '"x"', '{', '{"alg":"RS256","alg":"none"}', '{"__proto__":{"alg":"RS256"}}'])(
      'rejects the header %s',
      async (header) => {
        expect(await outcome(verify, await signRaw(as.key, header, encode({ iss: as.issuer })))).toMatch(
          /^(malformed|algorithm)$/,
        );
      },
    );

    verifies('JWT-07', 'takes a token of unknown type for none of its own, after its signature', async () => {
      for (const typ of ['at+jwt', 'JWT', undefined]) {
        expect(await outcome(verify, await as.token({}, { header: { typ } }))).toBe('authenticated');
      }
      for (const typ of ['dpop+jwt', 'logout+jwt', 'secevent+jwt']) {
        expect(await outcome(verify, await as.token({}, { header: { typ } }))).toBe('type');
        const forged = await makeKey('RS256', as.key.kid);
        expect(await outcome(verify, await as.token({}, { key: forged, header: { typ } }))).toBe('signature');
      }
    });
  });
});
