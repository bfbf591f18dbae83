import { Controller, Get, type INestApplication, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import {
  BearerAuthGuard,
  type McpAuthModuleOptions,
  RequireScopes,
  type UnauthorizedRequest,
} from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { beforeEach, describe, expect } from 'vitest';
import { RecordingLogger, type RunningApp, start } from '../../fixtures/app.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const INVALID_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  json: { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
};

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list(): string {
    return 'notes';
  }

  @Get('admin')
  @RequireScopes('notes:admin')
  admin(): string {
    return 'admin';
  }
}

function rejection({ status, headers, json }: HttpAnswer): object {
  return { status, challenge: headers['www-authenticate'], json };
}

let as: TestAuthorizationServer;
let told: UnauthorizedRequest[];

beforeEach(async () => {
  as = closeAfterTest(await TestAuthorizationServer.start());
  told = [];
});

function startWith(
  options: Partial<McpAuthModuleOptions>,
  prepare: (app: INestApplication) => void = () => undefined,
  isGlobal = false,
): Promise<RunningApp> {
  const introspection = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };
  return start(
    {
      resources: { resource: NOTES, authorizationServers: [{ issuer: as.issuer, introspection }] },
      ...options,
    },
    {
      controllers: [NotesController],
      providers: isGlobal ? [{ provide: APP_GUARD, useExisting: BearerAuthGuard }] : [],
      prepare,
    },
  );
}

const bearer = (token: string): Record<string, string> => ({ authorization: `Bearer ${token}` });

describe('the hook for throttling', () => {
  verifies('OPS-03', 'is called once for each 401, and for nothing else', async () => {
    for (const isGlobal of [false, true]) {
      const app = await startWith({ onUnauthorized: (request) => told.push(request) }, undefined, isGlobal);
      const good = await as.issueToken({ audience: NOTES });
      const gives = async (headers: Record<string, string | string[]>, path = '/notes'): Promise<unknown> => {
        told.length = 0;
        const { status } = await app.send(path, { headers });
        return [status, ...told];
      };
      const told401 = (reason: string): unknown => [
        401,
        { remoteAddress: '127.0.0.1', resource: NOTES, reason },
      ];
      expect(await gives({})).toEqual(told401('missing_token'));
      expect(await gives({ authorization: 'Basic x' })).toEqual(told401('unsupported_scheme'));
      expect(await gives(bearer('"'))).toEqual(told401('malformed'));
      expect(await gives(bearer('guess'))).toEqual(told401('inactive'));
      expect(await gives(bearer(await as.issueToken({ audience: `${NOTES}2` })))).toEqual(
        told401('audience'),
      );
      expect(await gives(bearer(good))).toEqual([200]);
      expect(await gives(bearer(good), '/notes/admin')).toEqual([403]);
      expect(await gives(bearer(`${good}, Bearer x`))).toEqual([400]);
      as.fail('introspection', { status: 500 });
      expect(await gives(bearer('guess'))).toEqual([503]);
      as.recover();
    }
  });

  verifies(
    'OPS-03',
    'lets an application reject clients that guess, without a request to its authorization server',
    async () => {
      const guesses = new Map<string | undefined, number>();
      const app = await startWith(
        {
          onUnauthorized: ({ remoteAddress, reason }) => {
            if (reason === 'missing_token') return;
            guesses.set(remoteAddress, (guesses.get(remoteAddress) ?? 0) + 1);
          },
        },
        (nest) => {
          nest.getHttpAdapter().getInstance().set('trust proxy', true);
          nest.use(
            (request: { ip: string }, response: { sendStatus(status: number): void }, next: () => void) => {
              if ((guesses.get(request.ip) ?? 0) < 3) next();
              else response.sendStatus(429);
            },
          );
        },
      );
      const from = (address: string, token?: string): Promise<HttpAnswer> =>
        app.send('/notes', { headers: { 'x-forwarded-for': address, ...(token && bearer(token)) } });
      for (let beginning = 0; beginning < 5; beginning++) expect((await from('192.0.2.1')).status).toBe(401);
      for (let guess = 0; guess < 3; guess++)
        expect(rejection(await from('192.0.2.1', `guess-${String(guess)}`))).toEqual(INVALID_TOKEN);
      for (let guess = 3; guess < 10; guess++)
        expect((await from('192.0.2.1', `guess-${String(guess)}`)).status).toBe(429);
      expect(as.requestCount('introspection')).toBe(3);
      expect((await from('192.0.2.2', as.issueOpaqueToken({ audience: NOTES }))).status).toBe(200);
    },
  );

  verifies('OPS-03', 'changes no answer, whatever it does', async () => {
    const log = new RecordingLogger();
    const doing = [
      () => {
        throw new Error('theirs');
      },
      () => Promise.reject(new Error('later')),
      () => new Promise(() => undefined),
      () => ({ status: 200 }),
    ];
    const app = await startWith({ onUnauthorized: () => doing.shift()?.() }, (nest) => {
      nest.useLogger(log);
    });
    for (let times = 0; times < 4; times++)
      expect(rejection(await app.send('/notes', { headers: bearer('guess') }))).toEqual(INVALID_TOKEN);
    expect(doing).toEqual([]);
    expect(log.errors).toEqual([
      'the option "onUnauthorized" threw Error: theirs',
      'the option "onUnauthorized" threw Error: later',
    ]);
  });
});
