import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../fixtures/http.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { RedisServer } from '../fixtures/redis-server.js';
import { NOTES } from '../fixtures/resources.js';
import { openStream } from '../fixtures/streams.js';
import type * as Examples from './replica-examples.js';

describe('the example of replicas in the documents', () => {
  let as: TestAuthorizationServer;
  let redis: RedisServer;
  let examples: typeof Examples;

  beforeAll(async () => {
    [as, redis] = await Promise.all([TestAuthorizationServer.start(), RedisServer.start()]);
    Object.assign(process.env, { MCP_RESOURCE: NOTES, MCP_ISSUER: as.issuer, REDIS_URL: redis.url });
    examples = await import('./replica-examples.js');
  });

  afterAll(async () => {
    await Promise.all([as.close(), redis.close()]);
  });

  async function replica(): Promise<string> {
    const app: INestApplication = await NestFactory.create(examples.AppModule, { logger: false });
    closeAfterTest(app);
    await app.listen(0, '127.0.0.1');
    return app.getUrl();
  }

  it('accepts a token once, and ends the streams of a person who signs out, at two replicas', async () => {
    const [one, other] = [await replica(), await replica()];
    const bearing = async () => ({
      headers: {
        authorization: `Bearer ${await as.issueToken({ sub: 'ada', audience: NOTES, claims: { iat: Math.floor(Date.now() / 1000) } })}`,
      },
    });
    const used = await bearing();
    expect((await send(one, '/notes', used)).text).toBe('notes of ada');
    expect((await send(other, '/notes', used)).status).toBe(401);
    const stream = await openStream(other, '/notes/changes', await bearing());
    const late = await bearing(); // issued in the second of the sign-out, or just before
    expect((await send(one, '/notes/sign-out', { method: 'POST', ...(await bearing()) })).text).toBe(
      'signed out',
    );
    expect(await stream.ended).toBe(true);
    expect((await send(other, '/notes', late)).status).toBe(401);
  });
});
