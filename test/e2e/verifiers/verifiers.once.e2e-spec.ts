import { Controller, Get, Injectable, type LoggerService, Req, UseGuards } from '@nestjs/common';
import { describe, expect } from 'vitest';
import {
  AuthInfo,
  AuthorizationServerUnavailableError,
  BearerAuthGuard,
  InsufficientScopeError,
  McpAuthModule,
  type McpAuthModuleOptions,
  ProtectedResource,
  type ProtectedResourceOptions,
  RequireScopes,
  type TokenClaims,
  TokenRejectedError,
  TokenVerifier,
  type TokenVerifierOption,
  type VerificationContext,
  type VerificationResult,
  VerifiedToken,
} from 'nestjs-mcp-auth';
import { StaticTokenVerifier } from 'nestjs-mcp-auth/testing';
import { type RunningApp, start, startFailure } from '../../fixtures/app.js';
import { listing, problems } from '../../fixtures/config-problems.js';
import { failure } from '../../fixtures/discovery-failure.js';
import { OAUTH, trusting } from '../../fixtures/discovery.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { ADMIN, ISSUER, NOTES, NOTES_METADATA, ORIGIN, PRM } from '../../fixtures/resources.js';
import { bareServer } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

const INVALID_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};
const UNDER_SCOPED = {
  status: 403,
  challenge: `Bearer error="insufficient_scope", scope="notes:write", resource_metadata="${NOTES_METADATA}", error_description="The access token does not grant what this operation needs"`,
  json: {
    error: 'insufficient_scope',
    error_description: 'The access token does not grant what this operation needs',
  },
};
const UNAVAILABLE = {
  status: 503,
  challenge: undefined,
  json: {
    error: 'temporarily_unavailable',
    error_description: 'The access token cannot be checked at the moment; try again later',
  },
};
const FAULT = {
  status: 500,
  challenge: undefined,
  json: { error: 'server_error', error_description: 'The request could not be checked' },
};

@Controller()
@UseGuards(BearerAuthGuard)
@ProtectedResource(NOTES)
class Notes {
  @Get('notes')
  list(@AuthInfo() auth: AuthInfo, @Req() request: { auth: object }): object {
    const { clientId, subject, issuer, scopes, claims } = auth;
    return { clientId, subject, issuer, scopes, from: claims['from'], same: request.auth === auth };
  }

  @Get('notes/write')
  @RequireScopes('notes:write')
  write(): string {
    return 'written';
  }
}

@Controller('admin')
@UseGuards(BearerAuthGuard)
@ProtectedResource(ADMIN)
class Admin {
  @Get()
  get(@AuthInfo('claims') claims: TokenClaims): object {
    return { from: claims['from'] };
  }
}

/** All that is logged, of every level. */
class Log implements LoggerService {
  readonly lines: unknown[][] = [];
  readonly log = (...line: unknown[]): void => void this.lines.push(['log', ...line]);
  readonly warn = (...line: unknown[]): void => void this.lines.push(['warn', ...line]);
  readonly error = (...line: unknown[]): void => void this.lines.push(['error', ...line]);

  of(level: string): string[] {
    return this.lines.filter(([first]) => first === level).map((line) => line.slice(1).join('\n'));
  }
}

/** A resource whose server has no keys at all. */
function resource(identifier: string, verifier?: TokenVerifierOption): ProtectedResourceOptions {
  const server = { metadata: { issuer: ISSUER }, mcpCompliance: 'off' } as const;
  return { resource: identifier, authorizationServers: [server], ...(verifier && { verifier }) };
}

const inSeconds = (offset: number): number => Math.floor(Date.now() / 1000) + offset;

/** Claims that are good for the notes. */
const good = (changes: Record<string, unknown> = {}): Record<string, unknown> => ({
  iss: ISSUER,
  aud: NOTES,
  sub: 'u1',
  scope: 'notes:write',
  exp: inSeconds(60),
  ...changes,
});

const get = (app: RunningApp, path = '/notes', token = 'opaque'): Promise<HttpAnswer> =>
  app.send(path, { headers: { authorization: `Bearer ${token}` } });

/** What a rejection is judged by: the status, the whole challenge and the body. */
const rejection = ({ status, headers, json }: HttpAnswer): object => ({
  status,
  challenge: headers['www-authenticate'],
  json,
});

interface Running {
  readonly app: RunningApp;
  readonly log: Log;
}

/** An app for the notes that does what a verifier says. */
async function withVerifier(
  verifier: TokenVerifierOption,
  { providers = [], ...more }: Partial<McpAuthModuleOptions> & { providers?: (new () => object)[] } = {},
): Promise<Running> {
  const log = new Log();
  const app = await start(
    { resources: resource(NOTES), verifier, ...more },
    { controllers: [Notes], providers, log },
  );
  return { app, log };
}

/** The answers to one verifier, asked now and later. */
async function answers(
  verify: () => unknown,
  path = '/notes',
): Promise<(Running & { answer: HttpAnswer })[]> {
  const forms = [verify, async () => Promise.resolve().then(verify)] as (() => VerificationResult)[];
  const found: Awaited<ReturnType<typeof answers>> = [];
  for (const form of forms) {
    // One after the other: all apps of a process log to the same logger.
    const running = await withVerifier(form);
    found.push({ ...running, answer: await get(running.app, path) });
  }
  return found;
}

@Injectable()
class Accounts {
  readonly names = new Map([['opaque', 'u1']]);
}

@Injectable()
class AccountVerifier extends TokenVerifier {
  constructor(private readonly accounts: Accounts) {
    super();
  }

  async verify(token: string, { resource: aud }: VerificationContext): Promise<TokenClaims | null> {
    const sub = this.accounts.names.get(token);
    return Promise.resolve(sub === undefined ? null : good({ sub, aud, from: 'accounts' }));
  }
}

describe('a verifier of the application', () => {
  verifies(['VER-01', 'F77'], 'is a class with dependencies, found among the providers', async () => {
    const providers = [Accounts, AccountVerifier] as (new () => object)[];
    const { app } = await withVerifier(AccountVerifier, { providers });
    expect(await get(app)).toMatchObject({
      status: 200,
      json: { subject: 'u1', issuer: ISSUER, scopes: ['notes:write'], from: 'accounts', same: true },
    });
    expect(rejection(await get(app, '/notes', 'opaque2'))).toEqual(INVALID_TOKEN);
  });

  verifies(['VER-01', 'F77'], 'is an object, such as one that is injected into the factory', async () => {
    const seen: [string, VerificationContext][] = [];
    const object = {
      accounts: new Accounts(),
      verify(token: string, context: VerificationContext) {
        seen.push([token, context]);
        this.accounts.names.set('more', 'u2'); // neither a copy nor frozen
        return good();
      },
    };
    const { app } = await withVerifier(object);
    expect((await get(app)).status).toBe(200);
    expect(object.accounts.names.get('more')).toBe('u2');
    const [[token, context] = []] = seen;
    expect(token).toBe('opaque');
    expect(context?.resource).toBe(NOTES);
    expect([...(context?.authorizationServers.keys() ?? [])]).toEqual([ISSUER]);
    expect(context?.signal.aborted).toBe(false);
  });

  verifies('F77', 'comes out of a factory with its dependencies', async () => {
    const { Test } = await import('@nestjs/testing');
    const { Module } = await import('@nestjs/common');

    @Module({ providers: [Accounts, AccountVerifier], exports: [AccountVerifier] })
    class AccountsModule {}

    const module = await Test.createTestingModule({
      imports: [
        McpAuthModule.forRootAsync({
          imports: [AccountsModule],
          inject: [AccountVerifier],
          useFactory: (verifier: AccountVerifier) => ({ resources: resource(NOTES), verifier }),
        }),
      ],
      controllers: [Notes],
    }).compile();
    const nest = module.createNestApplication({ logger: false });
    await nest.listen(0, '127.0.0.1');
    try {
      const answer = await fetch(`${await nest.getUrl()}/notes`, {
        headers: { authorization: 'Bearer opaque' },
      });
      expect(await answer.json()).toMatchObject({ subject: 'u1', from: 'accounts' });
    } finally {
      await nest.close();
    }
  });

  verifies(['VER-01', 'F77'], 'is a function, sync or async', async () => {
    for (const { answer } of await answers(() => good())) {
      expect(answer).toMatchObject({ status: 200, json: { subject: 'u1' } });
    }
  });

  verifies('VER-01', 'of one resource comes before that of all', async () => {
    const from = (name: string) => (_: string, context: VerificationContext) =>
      good({ aud: context.resource, from: name });
    const app = await start(
      { resources: [resource(NOTES, from('notes')), resource(ADMIN)], verifier: from('all') },
      { controllers: [Notes, Admin] },
    );
    expect((await get(app)).json).toMatchObject({ from: 'notes' });
    expect((await get(app, '/admin')).json).toEqual({ from: 'all' });
  });

  verifies('F77', 'replaces the standard one in a test, where a resource has none of its own', async () => {
    @Injectable()
    class TestVerifier extends TokenVerifier {
      verify(_: string, context: VerificationContext): TokenClaims {
        return good({ aud: context.resource, from: 'override' });
      }
    }
    const withKeys = (of: ProtectedResourceOptions): ProtectedResourceOptions => ({
      ...of,
      authorizationServers: [{ metadata: { issuer: ISSUER }, jwks: { keys: [] }, mcpCompliance: 'off' }],
    });
    const app = await start(
      { resources: [withKeys(resource(NOTES)), resource(ADMIN, () => good({ aud: ADMIN, from: 'own' }))] },
      {
        controllers: [Notes, Admin],
        override: (builder) => builder.overrideProvider(TokenVerifier).useClass(TestVerifier),
      },
    );
    expect((await get(app)).json).toMatchObject({ from: 'override' });
    expect((await get(app, '/admin')).json).toEqual({ from: 'own' });
  });

  verifies(['F77', 'F87'], 'that is a class without a provider fails startup with the fix', async () => {
    const fix = 'add AccountVerifier to the providers of a module, in the default scope';
    expect(await problems({ resources: resource(NOTES, AccountVerifier) })).toBe(
      listing(`AccountVerifier: is the verifier of ${NOTES} and cannot be found; ${fix}`),
    );
  });
});

describe('the result of a verifier is checked', () => {
  verifies(['F67', 'F78'], 'by issuer, audience, expiry, subject and scopes', async () => {
    const cases: [accepted: object, rejected: object, expected: object][] = [
      [{ iss: ISSUER }, { iss: `${ISSUER}/` }, INVALID_TOKEN],
      [{ iss: undefined }, { iss: null }, INVALID_TOKEN],
      [{ aud: [NOTES] }, { aud: [ADMIN] }, INVALID_TOKEN],
      [{ exp: inSeconds(60) }, { exp: inSeconds(-60) }, INVALID_TOKEN],
      [{ sub: 'u1' }, { sub: undefined }, INVALID_TOKEN],
      [{ scope: 'notes:write' }, { scope: 'notes:read' }, UNDER_SCOPED],
    ];
    for (const [accepted, rejected, expected] of cases) {
      for (const { answer } of await answers(() => good({ ...accepted }), '/notes/write')) {
        expect(answer).toMatchObject({ status: 200, text: 'written' });
      }
      for (const { answer } of await answers(() => good({ ...rejected }), '/notes/write')) {
        expect(rejection(answer)).toEqual(expected);
      }
    }
  });

  verifies(['VER-02', 'F67'], 'in the shape of the SDK too', async () => {
    const info = {
      token: 'opaque',
      clientId: 'c1',
      scopes: ['notes:write'],
      resource: new URL(NOTES),
      expiresAt: inSeconds(60),
      extra: { from: 'extra' },
    };
    for (const { answer } of await answers(() => info, '/notes/write')) expect(answer.status).toBe(200);
    const [{ answer: shown } = { answer: undefined }] = await answers(() => ({ ...info, subject: 'u1' }));
    expect(shown?.json).toMatchObject({
      clientId: 'c1',
      subject: 'u1',
      issuer: `urn:nestjs-mcp-auth:verifier:${NOTES}`,
      from: 'extra',
    });
    expect(shown?.text).not.toContain('opaque');
    for (const [changes, expected] of [
      [{ issuer: 'https://other.example' }, INVALID_TOKEN],
      [{ resource: new URL(ADMIN) }, INVALID_TOKEN],
      [{ audience: 'other' }, INVALID_TOKEN],
      [{ expiresAt: inSeconds(-60) }, INVALID_TOKEN],
      [{ scopes: undefined }, UNDER_SCOPED],
      [{ scopes: ['notes:read'] }, UNDER_SCOPED],
    ] as const) {
      for (const { answer } of await answers(() => ({ ...info, ...changes }), '/notes/write')) {
        expect(rejection(answer)).toEqual(expected);
      }
    }
  });

  verifies('VER-03', 'and accepted without audience only if the verifier vouches for it', async () => {
    const info = { token: 'opaque', clientId: 'c1', scopes: [] };
    const claims = good({ aud: undefined });
    for (const [result, status] of [
      [info, 401],
      [{ ...info, audienceVerified: false }, 401],
      [{ ...info, audienceVerified: true }, 200],
      [{ ...info, audienceVerified: true, audience: ADMIN }, 401],
      [claims, 401],
      [{ ...claims, audienceVerified: true }, 401],
      [new VerifiedToken(claims), 401],
      [new VerifiedToken(claims, { audienceVerified: true }), 200],
      [new VerifiedToken({ ...claims, aud: ADMIN }, { audienceVerified: true }), 401],
    ] as const) {
      for (const { answer } of await answers(() => result)) {
        if (status === 200) expect(answer.status).toBe(200);
        else expect(rejection(answer)).toEqual(INVALID_TOKEN);
      }
    }
  });
});

describe('a verifier that fails', () => {
  const SECRET = 'secret-of-the-verifier';
  const throwing = (error: unknown) => () => {
    throw error;
  };

  verifies(['VER-01', 'F79'], 'rejects the token by null, undefined and its own error', async () => {
    for (const verify of [
      () => null,
      () => undefined,
      throwing(new TokenRejectedError('inactive', { cause: new Error(SECRET) })),
    ]) {
      for (const { answer, log } of await answers(verify)) {
        expect(rejection(answer)).toEqual(INVALID_TOKEN);
        expect([...log.of('error'), ...log.of('warn')]).toEqual([]);
      }
    }
  });

  verifies(['VER-01', 'F79'], 'causes 503 if it cannot tell', async () => {
    const error = new AuthorizationServerUnavailableError(ISSUER, 'verification');
    for (const { answer } of await answers(throwing(error))) {
      expect(rejection(answer)).toEqual(UNAVAILABLE);
      expect(answer.headers['retry-after']).toBe('5');
    }
  });

  verifies(['VER-01', 'F79'], 'by anything else is a fault, which stays inside', async () => {
    for (const error of [
      new Error(SECRET),
      SECRET,
      undefined,
      new InsufficientScopeError([SECRET]),
      Object.assign(new Error(SECRET), { status: 401, code: 'ERR_MCP_AUTH_TOKEN_REJECTED' }),
    ]) {
      for (const { answer, log } of await answers(throwing(error))) {
        expect(rejection(answer)).toEqual(FAULT);
        expect(JSON.stringify([answer.headers, answer.text])).not.toContain(SECRET);
        expect(log.of('error')).toEqual([expect.stringContaining(`Answered 500 for ${NOTES}`)]);
      }
    }
  });

  verifies('F79', 'by returning what is no claims is a fault, and the log says which type', async () => {
    for (const [result, said] of [
      [SECRET, 'A verifier returned a value of type string; expected an object with claims, or null'],
      [7, 'A verifier returned a value of type number; expected an object with claims, or null'],
      [[SECRET], 'A verifier returned a list; expected an object with claims, or null'],
      [
        new VerifiedToken(SECRET as never),
        'A verifier returned a VerifiedToken whose claims are a value of type string',
      ],
    ] as const) {
      for (const { answer, log } of await answers(() => result)) {
        expect(rejection(answer)).toEqual(FAULT);
        expect(log.of('error').join()).toContain(said);
        expect(JSON.stringify(log.lines)).not.toContain(SECRET);
      }
    }
  });

  verifies('VER-04', 'by hanging causes 503 and gets its signal aborted', async () => {
    let signal: AbortSignal | undefined;
    const { app, log } = await withVerifier(
      (token, context) => {
        if (token === 'quick') return good();
        ({ signal } = context);
        return new Promise(() => undefined);
      },
      { verifierTimeoutMs: 200 },
    );
    const started = performance.now();
    const answer = await get(app);
    const took = performance.now() - started;
    expect(rejection(answer)).toEqual(UNAVAILABLE);
    expect(answer.headers['retry-after']).toBe('5');
    expect(took).toBeGreaterThan(190);
    expect(took).toBeLessThan(1200);
    expect(signal?.aborted).toBe(true);
    expect(log.of('warn').join()).toContain('The verifier gave no answer within 200 ms');
    expect((await get(app, '/notes', 'quick')).status).toBe(200);
  });
});

describe('the keys of an authorization server', () => {
  verifies('F87', 'must be known, unless a verifier of the application replaces them', async () => {
    const as = await bareServer();
    as.at(OAUTH, as.metadata({ jwks_uri: undefined }));
    const { message } = await failure(trusting(as.issuer));
    expect(message).toContain('has no "jwks_uri"');
    const app = await start(
      { ...trusting(as.issuer), verifier: () => good({ iss: as.issuer }) },
      { controllers: [Notes] },
    );
    expect((await get(app)).status).toBe(200);
    expect((await app.send(`${PRM}/notes`)).json).toMatchObject({ authorization_servers: [as.issuer] });
  });

  verifies('F87', 'are still needed by another resource', async () => {
    const keyless = await startFailure({ resources: [resource(NOTES, () => null), resource(ADMIN)] });
    expect(keyless.message).toContain('has no "jwks_uri"');
    expect(keyless.message).toContain(ADMIN);
    expect(keyless.message).not.toContain(`for ${NOTES}`);
  });
});

describe('StaticTokenVerifier', () => {
  verifies(['VER-05', 'F122'], 'authenticates its tokens, checks their claims, and warns', async () => {
    const log = new Log();
    const { Logger } = await import('@nestjs/common');
    Logger.overrideLogger(log);
    const verifier = new StaticTokenVerifier({
      claims: good(),
      info: { clientId: 'c1', scopes: ['a'], audience: NOTES },
      elsewhere: good({ aud: `${ORIGIN}/elsewhere` }),
    });
    expect(log.of('warn').join()).toContain(
      'StaticTokenVerifier is in use: 3 fixed tokens are accepted. NOT FOR PRODUCTION',
    );
    const { app } = await withVerifier(verifier);
    expect((await get(app, '/notes', 'claims')).json).toMatchObject({ subject: 'u1' });
    expect((await get(app, '/notes', 'claims')).status).toBe(200);
    expect((await get(app, '/notes', 'info')).json).toMatchObject({ clientId: 'c1', scopes: ['a'] });
    for (const token of ['elsewhere', 'claim', 'constructor', '__proto__']) {
      expect(rejection(await get(app, '/notes', token))).toEqual(INVALID_TOKEN);
    }
  });
});
