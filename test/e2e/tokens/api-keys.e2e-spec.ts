import { inspect } from 'node:util';
import { Controller, Get, Req, UseGuards } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import {
  AuthInfo,
  AuthorizationServerUnavailableError,
  BearerAuthGuard,
  type McpAuthEvent,
  McpAuthEvents,
  type McpAuthModuleOptions,
  principalKey,
  ProtectedResource,
  type ProtectedResourceOptions,
  RequireScopes,
  TokenRejectedError,
  VerifiedToken,
  type VerifyToken,
} from 'nestjs-mcp-auth';
import { defaultPlatform, RecordingLogger, type RunningApp, start, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { TestClock } from '../../fixtures/clock.js';
import { type HttpAnswer, sendRaw } from '../../fixtures/http.js';
import {
  FAULT,
  notesRejections,
  type Rejected,
  rejectedAs,
  UNAVAILABLE,
} from '../../fixtures/notes-rejections.js';
import { ADMIN, NOTES, ORIGIN, PRM } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const KEYS = 'urn:example:api-keys';
const KEY = 'key_4f9b2c7d8e';
const CLAIMS = { sub: 'ada', client_id: 'reporter', aud: NOTES, scope: 'notes:read' };

const { noToken, noTokenFor, invalidToken, severalCredentials, insufficientScope } =
  notesRejections('notes:read');

@Controller()
@UseGuards(BearerAuthGuard)
@ProtectedResource('notes')
class Notes {
  @Get('notes')
  who(@AuthInfo() auth: AuthInfo, @Req() request: { auth?: AuthInfo }): object {
    const { issuer, subject, clientId, scopes, token, expiresAt = 'never' } = auth;
    return { issuer, subject, clientId, scopes, token, expiresAt, same: request.auth === auth };
  }

  @Get('notes/write')
  @RequireScopes('notes:write')
  write(): object {
    return { written: true };
  }
}

@Controller()
@UseGuards(BearerAuthGuard)
@ProtectedResource('admin')
class Admin {
  @Get('admin')
  who(@AuthInfo() auth: AuthInfo): object {
    return { issuer: auth.issuer, subject: auth.subject };
  }
}

@Controller()
@UseGuards(BearerAuthGuard)
@ProtectedResource('plain')
class Plain {
  @Get('plain')
  who(): object {
    return { plain: true };
  }
}

@Controller()
@UseGuards(BearerAuthGuard)
@ProtectedResource('open')
class Open {
  @Get('open')
  who(@AuthInfo('subject') subject: string | undefined): object {
    return { subject: subject ?? 'anyone' };
  }
}

/** What the verifier of the keys of NOTES does, for one test. */
let verify: VerifyToken;
/** The keys that it got. */
const asked: string[] = [];
const byKey =
  (key: string, result: () => unknown): VerifyToken =>
  (given) =>
    (given === key ? result() : null) as never;

let as: LoopbackAuthorizationServer;
let app: RunningApp;
const clock = new TestClock();
const log = new RecordingLogger();
const events: McpAuthEvent[] = [];
const revoked = new Set<string | undefined>();

const resourceOf = (name: string, resource: string, more: object = {}): ProtectedResourceOptions => ({
  name,
  resource,
  authorizationServers: [as.issuer],
  requiredScopes: ['notes:read'],
  ...more,
});

const options = (): McpAuthModuleOptions => ({
  resources: [
    resourceOf('notes', NOTES, {
      allowedOrigins: ['https://app.example'],
      apiKeys: {
        header: 'X-API-Key',
        issuer: KEYS,
        verifier: {
          verify: (...args: Parameters<VerifyToken>) => {
            asked.push(args[0]);
            return verify(...args);
          },
        },
      },
    }),
    resourceOf('admin', ADMIN, {
      requiredScopes: [],
      apiKeys: {
        header: 'x-admin-key',
        issuer: 'urn:example:admin-keys',
        verifier: byKey(KEY, () => ({ sub: 'root', aud: ADMIN })),
      },
    }),
    resourceOf('open', `${ORIGIN}/open`, {
      allowAnonymous: true,
      apiKeys: {
        issuer: KEYS,
        verifier: byKey(KEY, () => ({ sub: 'ada', aud: `${ORIGIN}/open`, scope: 'notes:read' })),
      },
    }),
    resourceOf('plain', `${ORIGIN}/plain`, { allowedOrigins: ['https://app.example'] }),
  ],
  clockToleranceSeconds: 0,
  now: clock.now,
  isRevoked: ({ issuer, subject }) => issuer === KEYS && revoked.has(subject),
});

beforeAll(async () => {
  clock.stop();
  as = await LoopbackAuthorizationServer.start();
  const large = { maxHeaderSize: 4_000_000 };
  app = await startApp(options(), {
    controllers: [Notes, Admin, Plain, Open],
    log,
    factoryOptions: {},
    ...(defaultPlatform === 'fastify' && { adapter: new FastifyAdapter({ http: large }) }),
  });
  app.app.get(McpAuthEvents).on('access_denied', (event) => events.push(event));
  app.app.get(McpAuthEvents).on('access_granted', (event) => events.push(event));
});

afterAll(async () => {
  await app.close();
  await as.close();
});

beforeEach(() => {
  verify = byKey(KEY, () => CLAIMS);
  asked.length = 0;
  events.length = 0;
  revoked.clear();
});

const get = (headers: Record<string, string | string[]>, path = '/notes'): Promise<HttpAnswer> =>
  app.send(path, { headers });
const withKey = (key = KEY, path = '/notes'): Promise<HttpAnswer> => get({ 'x-api-key': key }, path);
const rejection = async (answer: Promise<HttpAnswer>): Promise<Rejected> => rejectedAs(await answer);
const outcomeOf = (result: unknown): Promise<Rejected> => {
  verify = byKey(KEY, () => result);
  return rejection(withKey());
};
const served = (more: object = {}): Rejected => ({
  status: 200,
  challenge: undefined,
  json: {
    ...{ issuer: KEYS, subject: 'ada', clientId: 'reporter', scopes: ['notes:read'] },
    ...{ token: '', expiresAt: 'never', same: true },
    ...more,
  },
});
const token = (claims: object = {}): Promise<string> => {
  const iat = Math.floor(clock.now().getTime() / 1000);
  return as.token({ aud: NOTES, scope: 'notes:read', iat, exp: iat + 600, ...claims });
};

describe('an API key', () => {
  verifies('AKY-01', 'authenticates by the header of the option, beside tokens', async () => {
    expect(await rejection(withKey())).toEqual(served());
    expect(await rejection(get({ 'X-Api-KEY': ` ${KEY}\t` }))).toEqual(served());
    const bearer = await get({ authorization: `Bearer ${await token({ sub: 'ada' })}` });
    expect(bearer.json).toMatchObject({ issuer: as.issuer, subject: 'ada' });
    for (const header of ['x-apikey', 'x-api-keys', 'api-key', 'x-admin-key', 'cookie'])
      expect([header, await rejection(get({ [header]: KEY }))]).toEqual([header, noToken]);
  });

  verifies('AKY-02', 'is no bearer token, and a token is no key', async () => {
    for (const authorization of [`Bearer ${KEY}`, `bearer ${KEY}`])
      expect(await rejection(get({ authorization }))).toEqual(invalidToken);
    for (const authorization of [KEY, `X-API-Key ${KEY}`, `ApiKey ${KEY}`])
      expect(await rejection(get({ authorization }))).toEqual(noToken);
    expect(asked).toEqual([]);
    const given = await token();
    expect((await get({ authorization: `Bearer ${given}` })).status).toBe(200);
    expect(await rejection(withKey(given))).toEqual(invalidToken);
    expect(await rejection(get({}, `/notes?x-api-key=${KEY}&api_key=${KEY}`))).toEqual(noToken);
  });

  verifies('AKY-03', 'is rejected with 400 beside any other credential', async () => {
    const bearer = `Bearer ${await token()}`;
    for (const authorization of [bearer, 'Bearer wrong', 'Basic YTpi', '', 'DPoP x'])
      expect([authorization, await rejection(get({ authorization, 'x-api-key': KEY }))]).toEqual([
        authorization,
        severalCredentials,
      ]);
    expect(await rejection(get({ authorization: bearer, 'x-api-key': '' }))).toEqual(severalCredentials);
    for (const key of [[KEY, KEY], [KEY, ''], ['', KEY], [`${KEY}, ${KEY}`], [`${KEY},`], [',']])
      expect([key, await rejection(get({ 'x-api-key': key }))]).toEqual([key, severalCredentials]);
    const raw = await sendRaw(
      app.origin,
      `GET /notes HTTP/1.1\r\nHost: x\r\nX-Api-Key: ${KEY}\r\nx-api-KEY: ${KEY}\r\nConnection: close\r\n\r\n`,
    );
    expect(raw).toMatch(/^HTTP\/1\.1 400 /);
    const inQuery = get({ 'x-api-key': KEY }, '/notes?access_token=abc');
    expect(await rejection(inQuery)).toEqual(severalCredentials);
    expect(asked).toEqual([]);
  });

  verifies(
    'AKY-04',
    'is answered as a token if it is wrong or missing, with the same challenge',
    async () => {
      expect(await rejection(withKey(`${KEY}x`))).toEqual(invalidToken);
      expect(await rejection(withKey(KEY.toUpperCase()))).toEqual(invalidToken);
      expect(await rejection(withKey(''))).toEqual(noToken);
      expect(await rejection(withKey('  '))).toEqual(noToken);
      expect(await rejection(get({}))).toEqual(noToken);
      expect(await rejection(get({}, '/notes/write'))).toEqual(noTokenFor('notes:read notes:write'));
      // Where callers need no credential, a bad one is rejected all the same.
      expect((await get({}, '/open')).json).toEqual({ subject: 'anyone' });
      expect((await withKey(KEY, '/open')).json).toEqual({ subject: 'ada' });
      for (const [key, error] of [
        ['', 'missing_token'],
        [`${KEY}x`, 'invalid_token'],
      ] as const)
        expect(await rejection(withKey(key, '/open'))).toMatchObject({ status: 401, json: { error } });
      const document = await get({}, `${PRM}/notes`);
      expect(document.text).not.toMatch(/key/i);
      expect(document.json).toMatchObject({ bearer_methods_supported: ['header'] });
    },
  );

  verifies('AKY-05', 'has the issuer of the option, whatever its verifier returns', async () => {
    expect(await outcomeOf({ ...CLAIMS, iss: KEYS })).toEqual(served());
    const others = [as.issuer, `${KEYS}/`, KEYS.toUpperCase(), '', null, [KEYS], 'urn:example:admin-keys'];
    for (const iss of [...others, `urn:nestjs-mcp-auth:verifier:${NOTES}`])
      expect([iss, await outcomeOf({ ...CLAIMS, iss })]).toEqual([iss, invalidToken]);
    const sdk = { clientId: 'reporter', scopes: ['notes:read'], subject: 'ada', audience: NOTES };
    expect(await outcomeOf(sdk)).toEqual(served());
    expect(await outcomeOf({ ...sdk, issuer: as.issuer })).toEqual(invalidToken);
    const tokenOfAda = await get({
      authorization: `Bearer ${await token({ sub: 'ada', client_id: 'reporter' })}`,
    });
    const ofKey = (await withKey()).json as AuthInfo;
    expect(principalKey(tokenOfAda.json as AuthInfo)).not.toBe(principalKey(ofKey));
    // A token cannot name the issuer of keys, even if the authorization server would.
    expect(await rejection(get({ authorization: `Bearer ${await token({ iss: KEYS })}` }))).toEqual(
      invalidToken,
    );
  });

  verifies('AKY-06', 'needs an audience, and is checked like the result of any other verifier', async () => {
    const seconds = Math.floor(clock.now().getTime() / 1000);
    expect(await outcomeOf({ ...CLAIMS, exp: seconds + 1 })).toEqual(served({ expiresAt: seconds + 1 }));
    expect(await outcomeOf({ ...CLAIMS, exp: seconds })).toEqual(invalidToken);
    expect(await outcomeOf({ ...CLAIMS, nbf: seconds + 1 })).toEqual(invalidToken);
    expect(await outcomeOf({ ...CLAIMS, exp: String(seconds + 60) })).toEqual(invalidToken);
    expect(await outcomeOf({ ...CLAIMS, aud: ADMIN })).toEqual(invalidToken);
    const { aud, ...withoutAudience } = CLAIMS;
    expect(aud).toBe(NOTES);
    expect(await outcomeOf(withoutAudience)).toEqual(invalidToken);
    const vouched = (claims: object) => new VerifiedToken({ ...claims }, { audienceVerified: true });
    expect(await outcomeOf(vouched(withoutAudience))).toEqual(served());
    expect(await outcomeOf(vouched({ ...CLAIMS, aud: ADMIN }))).toEqual(invalidToken);
    expect(await outcomeOf({ aud: NOTES, scope: 'notes:read' })).toEqual(invalidToken);
    expect(await outcomeOf({ ...CLAIMS, sub: undefined })).toMatchObject({ status: 200 });
    const jkt = '0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I';
    for (const cnf of [{}, { jkt }, { 'x5t#S256': jkt }])
      expect(await outcomeOf({ ...CLAIMS, cnf })).toEqual(invalidToken);
  });

  verifies('AKY-07', 'needs the scopes of the resource and of the operation', async () => {
    const write = (scope: string): Promise<Rejected> => {
      verify = byKey(KEY, () => ({ ...CLAIMS, scope }));
      return rejection(withKey(KEY, '/notes/write'));
    };
    expect((await write('notes:read notes:write')).json).toEqual({ written: true });
    expect(await write('notes:read')).toEqual(insufficientScope('notes:read notes:write'));
    expect(await write('notes:write')).toEqual(insufficientScope('notes:read notes:write'));
    expect(await outcomeOf({ ...CLAIMS, scope: '' })).toEqual(insufficientScope('notes:read'));
  });

  verifies('AKY-09', 'is rejected before its verifier runs if it cannot be one', async () => {
    const malformed = [`Bearer ${KEY}`, `${KEY} ${KEY}`, `${KEY}\t2`, 'schlüssel', `${KEY}\u00a0`, '\u00ff'];
    for (const key of malformed) expect([key, await rejection(withKey(key))]).toEqual([key, invalidToken]);
    expect(await rejection(withKey('k'.repeat(8193)))).toEqual(invalidToken);
    expect(asked).toEqual([]);
    await withKey('k'.repeat(8192));
    await withKey('!#$%&\'()*+-./:;<=>?@[]^_`{|}~"\\');
    expect(asked).toHaveLength(2);
    // Node itself answers 431, and may close the connection while the client still writes.
    const huge = await rejection(withKey('k'.repeat(1_000_000))).catch(
      (error: unknown) => error as NodeJS.ErrnoException,
    );
    if (huge instanceof Error) expect(['ECONNRESET', 'EPIPE']).toContain(huge.code);
    else if (huge.status !== 431) expect(huge).toEqual(invalidToken);
    expect(asked).toHaveLength(2);
  });

  // Before other tests make the verifier fail: the log repeats no line for some time.
  verifies('AKY-15', 'is in no event, no log line and no copy of the caller', async () => {
    const key = 'key_secret"%/é'.slice(0, -1);
    verify = (given) => {
      throw new Error(`cannot look up ${given} ${encodeURIComponent(given)}`);
    };
    await withKey(key);
    await withKey('abcd');
    await get({ 'x-api-key': [key, key], authorization: `Bearer ${key}` });
    verify = byKey(key, () => CLAIMS);
    await withKey(key);
    await withKey(key, '/notes/write');
    await withKey(`${key}x`);
    const told = events.map(({ type, ...event }) => {
      const { reason = 'granted', credential, issuer } = event as unknown as Record<string, unknown>;
      return [type, reason, credential, issuer];
    });
    expect(told).toEqual([
      ['access_denied', 'fault', 'api_key', undefined],
      ['access_denied', 'fault', 'api_key', undefined],
      ['access_denied', 'multiple_credentials', 'api_key', undefined],
      ['access_granted', 'granted', 'api_key', KEYS],
      ['access_denied', 'insufficient_scope', 'api_key', KEYS],
      ['access_denied', 'inactive', 'api_key', undefined],
    ]);
    const said = [...log.errors, ...log.warnings, ...log.notes, inspect(events, { depth: null })].join('\n');
    for (const secret of [key, encodeURIComponent(key), 'abcd', KEY]) expect(said).not.toContain(secret);
    expect(said).toContain('cannot look up [token] [token]');
  });

  verifies('AKY-10', 'lets nobody in if its verifier fails, hangs or lies', async () => {
    const outcome = (does: VerifyToken): Promise<Rejected> => {
      verify = does;
      return rejection(withKey());
    };
    const thrown = (error: unknown) => (): never => {
      throw error;
    };
    for (const error of [new Error(`no ${KEY}`), KEY, undefined, null, new TypeError('x')])
      expect(await outcome(thrown(error))).toEqual(FAULT);
    expect(await outcome(() => Promise.reject(new Error(KEY)))).toEqual(FAULT);
    for (const result of [true, 1, 'ada', [], [CLAIMS], Symbol('x'), new VerifiedToken(null as never)])
      expect([typeof result, await outcome(() => result as never)]).toEqual([typeof result, FAULT]);
    for (const result of [null, undefined]) expect(await outcome(() => result)).toEqual(invalidToken);
    expect(await outcome(thrown(new TokenRejectedError('revoked')))).toEqual(invalidToken);
    expect(await outcome(thrown(new AuthorizationServerUnavailableError('db', 'verification')))).toEqual(
      UNAVAILABLE,
    );
    expect(await outcome(byKey(KEY, () => Promise.resolve(CLAIMS)))).toEqual(served());
  });

  verifies('AKY-10', 'is answered with 503 if its verifier does not answer in time', async () => {
    const warned = new RecordingLogger();
    const apiKeys = { issuer: KEYS, verifier: () => new Promise<never>(() => undefined) };
    const resources = resourceOf('notes', NOTES, { apiKeys });
    const slow = await start({ resources, verifierTimeoutMs: 100 }, { controllers: [Notes], log: warned });
    const answer = await slow.send('/notes', { headers: { 'x-api-key': KEY } });
    expect(rejectedAs(answer)).toEqual(UNAVAILABLE);
    expect(warned.warnings.join()).toContain(`Could not get the verification of ${KEYS}`);
  });

  verifies(
    'AKY-11',
    'is cached by what its verifier allows, apart from tokens and for its time only',
    async () => {
      const seconds = Math.floor(clock.now().getTime() / 1000);
      const cacheable = new VerifiedToken({ ...CLAIMS, exp: seconds + 10 }, { cacheable: true });
      verify = byKey('cached_key', () => cacheable);
      for (let time = 0; time < 5; time += 1) expect((await withKey('cached_key')).status).toBe(200);
      expect(asked).toHaveLength(2);
      expect(await rejection(get({ authorization: 'Bearer cached_key' }))).toEqual(invalidToken);
      expect(await rejection(withKey('cached_keY'))).toEqual(invalidToken);
      expect(await rejection(get({ 'x-admin-key': 'cached_key' }, '/admin'))).toMatchObject({ status: 401 });
      // Tokens do not push keys out.
      const bearer = await token();
      for (let time = 0; time < 3; time += 1) await get({ authorization: `Bearer ${bearer}` });
      asked.length = 0;
      expect((await withKey('cached_key')).status).toBe(200);
      expect(asked).toEqual([]);
      expect(await rejection(withKey(bearer))).toEqual(invalidToken);
      revoked.add('ada');
      expect(await rejection(withKey('cached_key'))).toEqual(invalidToken);
      revoked.clear();
      clock.forward(10);
      expect(await rejection(withKey('cached_key'))).toEqual(invalidToken);
      asked.length = 0;
      for (let time = 0; time < 3; time += 1) await withKey();
      expect(asked).toHaveLength(3);
    },
  );

  verifies('AKY-14', 'may be sent by pages of allowed origins, and only where there are keys', async () => {
    const preflight = async (path: string): Promise<unknown> => {
      const headers = {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'x-api-key,x-admin-key,content-type',
      };
      const answer = await app.send(path, { method: 'OPTIONS', headers });
      return [answer.status, answer.headers['access-control-allow-headers']];
    };
    expect(await preflight('/notes')).toEqual([204, 'x-api-key, content-type']);
    expect(await preflight('/plain')).toEqual([204, 'content-type']);
    const { headers } = await get({ origin: 'https://app.example', 'x-api-key': 'wrong' });
    expect(headers['access-control-allow-origin']).toBe('https://app.example');
  });

  verifies('AKY-19', 'is read from the header of its resource, and others are ignored', async () => {
    expect((await get({ 'x-admin-key': KEY }, '/admin')).json).toEqual({
      issuer: 'urn:example:admin-keys',
      subject: 'root',
    });
    expect(await rejection(get({ 'x-api-key': KEY }, '/admin'))).toMatchObject({ status: 401 });
    expect(await rejection(get({ 'x-admin-key': KEY }))).toEqual(noToken);
    expect(await rejection(get({ 'x-admin-key': KEY, 'x-api-key': KEY }))).toEqual(served());
    const bare = await rejection(get({}, '/plain'));
    expect(await rejection(get({ 'x-api-key': KEY }, '/plain'))).toEqual(bare);
    const authorization = `Bearer ${await token({ aud: `${ORIGIN}/plain` })}`;
    const both = await get({ authorization, 'x-api-key': [KEY, KEY] }, '/plain');
    expect([both.status, both.json]).toEqual([200, { plain: true }]);
  });
});
