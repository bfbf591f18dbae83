import { Controller, Delete, Get, HttpCode, Post, UseGuards } from '@nestjs/common';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { afterAll, beforeAll, beforeEach, describe, expect } from 'vitest';
import { BearerAuthGuard, type ProtectedResourceOptions } from 'nestjs-mcp-auth';
import { defaultPlatform, type RunningApp, startApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { type HttpAnswer, sendRaw } from '../../fixtures/http.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const LOCAL = 'http://localhost:3000/notes';
const EVIL = 'https://evil.example';
const METHODS = ['POST', 'GET', 'DELETE'] as const;

const ran = { count: 0 };

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  get(): string {
    ran.count += 1;
    return 'ran';
  }

  @Post()
  @HttpCode(200)
  post(): string {
    return this.get();
  }

  @Delete()
  remove(): string {
    return this.get();
  }
}

const FORBIDDEN_ORIGIN = rejected(403, {
  error: 'forbidden_origin',
  error_description: "The request's Origin is not allowed here",
});
const FORBIDDEN_HOST = rejected(403, {
  error: 'forbidden_host',
  error_description: "The request's Host is not allowed here",
});
const TWO_HOSTS = rejected(400, {
  error: 'invalid_request',
  error_description: 'The request has more than one Host',
});
const RAN = { ...rejected(200, undefined), cache: undefined, ran: 1, asked: 1 };

/** The whole rejection: no challenge, nothing ran, and the token was not looked at. */
function rejected(status: number, json: object | undefined): object {
  return { status, challenge: undefined, cache: 'no-store', json, ran: 0, asked: 0 };
}

describe('the Origin and Host of requests to a guarded route', () => {
  let as: LoopbackAuthorizationServer;
  const apps: RunningApp[] = [];
  let remote: RunningApp;
  let local: RunningApp;
  /** How often a good token was looked at. */
  let asked = 0;

  async function startWith(resource: string, more: Partial<ProtectedResourceOptions> = {}) {
    const app = await startApp(
      {
        resources: { resource, authorizationServers: [as.issuer], ...more },
        isRevoked: () => {
          asked += 1;
          return false;
        },
      },
      {
        controllers: [NotesController],
        prepare: (nest) => {
          // Fastify takes it when it is made; what is tested reads no header that it would change.
          if (defaultPlatform === 'express') (nest as NestExpressApplication).set('trust proxy', true);
        },
      },
    );
    apps.push(app);
    return app;
  }

  const judged = ({ status, headers, json }: Pick<HttpAnswer, 'status' | 'headers' | 'json'>): object => ({
    ...{ status, challenge: headers['www-authenticate'], cache: headers['cache-control'], json },
    ...{ ran: ran.count, asked },
  });

  /** What a request with a good token gets. */
  async function ask(app: RunningApp, headers: Record<string, string>, method = 'GET') {
    [ran.count, asked] = [0, 0];
    const aud = app === remote ? NOTES : LOCAL;
    const authorization = `Bearer ${await as.token({ aud })}`;
    return judged(await app.send('/notes', { method, headers: { authorization, ...headers } }));
  }

  /** As `ask`, by lines that an HTTP client would not write. */
  async function askRaw(app: RunningApp, version: string, ...lines: string[]): Promise<object> {
    [ran.count, asked] = [0, 0];
    const token = await as.token({ aud: app === remote ? NOTES : LOCAL });
    const head = [
      `GET /notes HTTP/${version}`,
      ...lines,
      `Authorization: Bearer ${token}`,
      'Connection: close',
    ];
    const [top = '', text = ''] = (await sendRaw(app.origin, `${head.join('\r\n')}\r\n\r\n`)).split(
      '\r\n\r\n',
    );
    const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(top)?.[1];
    const json: unknown = text.startsWith('{') ? JSON.parse(text) : undefined;
    const headers = {
      'www-authenticate': header('WWW-Authenticate'),
      'cache-control': header('Cache-Control'),
    };
    return judged({ status: Number(top.slice(9, 12)), headers, json });
  }

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    remote = await startWith(NOTES, { allowedOrigins: ['https://app.example.com', 'http://dev.example:*'] });
    local = await startWith(LOCAL);
  });

  beforeEach(() => {
    [ran.count, asked] = [0, 0];
  });

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.close()));
    await as.close();
  });

  verifies(
    ['ORG-01', 'ORG-02', 'H13'],
    'reject a good token from a foreign page, whatever the method',
    async () => {
      for (const method of METHODS) {
        expect(await ask(remote, { origin: EVIL }, method)).toEqual(FORBIDDEN_ORIGIN);
        expect(await ask(local, { origin: EVIL, host: 'localhost:3000' }, method)).toEqual(FORBIDDEN_ORIGIN);
        expect(await ask(local, { origin: EVIL, host: 'evil.example' }, method)).toEqual(FORBIDDEN_HOST);
        expect(await ask(remote, { origin: 'https://api.example.com' }, method)).toEqual(RAN);
      }
    },
  );

  verifies(['ORG-02', 'H13'], 'are checked before credentials', async () => {
    const credentials = [[], ['Bearer x'], ['Basic dTpw'], ['Bearer x', 'Bearer y']];
    for (const authorization of credentials) {
      for (const method of METHODS) {
        const headers = { authorization, origin: EVIL };
        expect(judged(await remote.send('/notes', { method, headers }))).toEqual(FORBIDDEN_ORIGIN);
        const rebound = { authorization, host: 'evil.example:3000' };
        expect(judged(await local.send('/notes', { method, headers: rebound }))).toEqual(FORBIDDEN_HOST);
      }
    }
    const answer = await remote.send('/notes', { headers: { origin: 'https://app.example.com' } });
    expect(answer).toMatchObject({
      status: 401,
      headers: { 'www-authenticate': `Bearer resource_metadata="${NOTES_METADATA}"` },
    });
  });

  verifies('ORG-03', 'may be absent, and may not be values that no page sends', async () => {
    expect(await ask(remote, {})).toEqual(RAN);
    for (const origin of ['null', '', 'https://api.example.com/', 'https://u@api.example.com', 'x']) {
      expect(await ask(remote, { origin })).toEqual(FORBIDDEN_ORIGIN);
    }
    const twice = ['Origin: https://api.example.com', 'origin: https://api.example.com'];
    expect(await askRaw(remote, '1.1', 'Host: x', ...twice)).toEqual(FORBIDDEN_ORIGIN);
    expect(await askRaw(remote, '1.1', 'Host: x', twice.join(', ').replace(' origin:', ''))).toEqual(
      FORBIDDEN_ORIGIN,
    );
    expect(await askRaw(remote, '1.1', 'Host: x', twice[0]!)).toEqual(RAN);
  });

  verifies('ORG-04', 'may be those of the resource, those configured and no neighbours', async () => {
    for (const origin of [
      ...['https://api.example.com', 'https://api.example.com:443', 'HTTPS://app.example.com'],
      ...['http://dev.example', 'http://dev.example:5173'],
    ]) {
      expect(await ask(remote, { origin })).toEqual(RAN);
    }
    for (const origin of [
      ...['http://api.example.com', 'https://api.example.com:8443', 'https://app.example.com.evil.example'],
      ...['https://dev.example:5173', 'http://localhost:3000', 'http://127.0.0.1'],
    ]) {
      expect(await ask(remote, { origin })).toEqual(FORBIDDEN_ORIGIN);
    }
  });

  verifies(['ORG-04', 'ORG-05', 'H13'], 'may be loopback where the resource is', async () => {
    for (const host of ['localhost:3000', '127.0.0.1:8080', '[::1]', 'LOCALHOST']) {
      expect(await ask(local, { host })).toEqual(RAN);
      expect(await ask(local, { host, origin: `http://${host}` })).toEqual(RAN);
    }
    expect(await ask(local, { host: 'localhost', origin: 'HTTP://LOCALHOST:3000' })).toEqual(RAN);
    for (const origin of [
      ...[
        'http://localhost.evil.com',
        'http://evil.com#localhost',
        'http://localhost@evil.com',
        'http://localhost.',
      ],
      ...['http://127.0.0.1.nip.io', 'http://127.1', 'http://[::1%25lo]', 'null'],
    ]) {
      expect(await ask(local, { host: 'localhost:3000', origin })).toEqual(FORBIDDEN_ORIGIN);
    }
    for (const host of ['evil.example', 'localhost.evil.com', '127.0.0.1.nip.io:3000', 'localhost.']) {
      expect(await ask(local, { host })).toEqual(FORBIDDEN_HOST);
      expect(await ask(local, { host, origin: `http://${host}` })).toEqual(FORBIDDEN_HOST);
      expect(await ask(remote, { host })).toEqual(RAN);
    }
  });

  verifies('ORG-05', 'may be configured hosts', async () => {
    const app = await startWith(LOCAL, { allowedHosts: ['mcp.internal:8080'] });
    expect(await ask(app, { host: 'mcp.internal:8080' })).toEqual(RAN);
    expect(await ask(app, { host: 'localhost:3000' })).toEqual(RAN);
    expect(await ask(app, { host: 'mcp.internal:8081' })).toEqual(FORBIDDEN_HOST);
    expect(await ask(app, { host: '127.0.0.1:3000' })).toEqual(FORBIDDEN_HOST);
  });

  verifies('ORG-08', 'may not be two hosts', async () => {
    for (const app of [remote, local]) {
      expect(await askRaw(app, '1.1', 'Host: localhost', 'Host: localhost')).toEqual(TWO_HOSTS);
      expect(await askRaw(app, '1.1', 'Host: localhost', 'host: evil.example')).toEqual(TWO_HOSTS);
      expect(await askRaw(app, '1.1', 'Host: localhost')).toEqual(RAN);
    }
    // HTTP/1.0 needs no Host; where hosts are looked at, none is not an allowed one.
    expect(await askRaw(remote, '1.0')).toEqual(RAN);
    expect(await askRaw(local, '1.0')).toEqual(FORBIDDEN_HOST);
    expect(await askRaw(local, '1.0', 'Host: localhost')).toEqual(RAN);
  });

  verifies('ORG-09', 'are not read from the headers of a proxy, even one that Express trusts', async () => {
    const says = (host: string) => ({
      'x-forwarded-host': host,
      forwarded: `host=${host}`,
      'x-original-host': host,
    });
    expect(await ask(local, { host: 'evil.example', ...says('localhost:3000') })).toEqual(FORBIDDEN_HOST);
    expect(await ask(local, { host: 'localhost:3000', ...says('evil.example') })).toEqual(RAN);
    const origin = 'https://evil.example';
    expect(await ask(remote, { origin, 'x-forwarded-origin': 'https://api.example.com' })).toEqual(
      FORBIDDEN_ORIGIN,
    );
  });
});
