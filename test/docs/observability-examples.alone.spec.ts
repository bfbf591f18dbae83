import { Writable } from 'node:stream';
import type { INestApplication } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { send } from '../fixtures/http.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';
import type * as Examples from './observability-examples.js';

describe('the examples of logs, metrics and limits in the documents', () => {
  let as: TestAuthorizationServer;
  let examples: typeof Examples;

  beforeAll(async () => {
    as = await TestAuthorizationServer.start();
    Object.assign(process.env, { MCP_RESOURCE: NOTES, MCP_ISSUER: as.issuer });
    examples = await import('./observability-examples.js');
  });

  afterAll(() => as.close());

  async function serve(app: INestApplication) {
    closeAfterTest(app);
    await app.listen(0, '127.0.0.1');
    const origin = await app.getUrl();
    return (path: string, token?: string) =>
      send(origin, path, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
  }

  it('count what became of requests', async () => {
    const ask = await serve(await NestFactory.create(examples.AppModule, { logger: false }));
    await ask('/notes', await as.issueToken({ audience: NOTES }));
    await ask('/notes', await as.issueToken({ audience: `${NOTES}2` }));
    await ask('/notes');
    await ask('/notes');
    const { headers, text } = await ask('/metrics');
    expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(text.trim().split('\n')).toEqual([
      `mcp_auth_total{resource="${NOTES}",outcome="granted"} 1`,
      `mcp_auth_total{resource="${NOTES}",outcome="audience"} 1`,
      `mcp_auth_total{resource="${NOTES}",outcome="missing_token"} 2`,
    ]);
  });

  it('write an audit log of JSON lines', async () => {
    const ask = await serve(await NestFactory.create(examples.AppModule, { logger: false }));
    examples.auditLines.length = 0;
    await ask('/notes', await as.issueToken({ audience: NOTES, sub: 'ada' }));
    await ask('/notes');
    await expect.poll(() => examples.auditLines.length).toBe(4);
    const lines = examples.auditLines.map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(examples.auditLines.every((line) => line.endsWith('}\n'))).toBe(true);
    expect(lines).toMatchObject([
      { type: 'access_granted', subject: 'ada', route: 'NotesController.list' },
      { type: 'request_completed', subject: 'ada', status: 200 },
      { type: 'access_denied', reason: 'missing_token', status: 401 },
      { type: 'request_completed', status: 401 },
    ]);
    expect(new Set(lines.map(({ requestId }) => requestId)).size).toBe(2);
  });

  it('time the validation of tokens by a tracing channel', async () => {
    examples.observeTokens();
    const ask = await serve(await NestFactory.create(examples.AppModule, { logger: false }));
    await ask('/notes', await as.issueToken({ audience: NOTES }));
    await ask('/notes', 'x');
    expect(examples.validations.map(({ reason }) => reason)).toEqual([undefined, 'malformed']);
    expect(examples.validations.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
  });

  it('limit each caller, behind the guard', async () => {
    const ask = await serve(await NestFactory.create(examples.AppModule, { logger: false }));
    const token = (sub: string) => as.issueToken({ audience: NOTES, sub });
    const [ada, bob] = [await token('ada'), await token('bob')];
    const statuses: number[] = [];
    // Two windows at most, if a minute ends meanwhile: the second then has room for the rest.
    for (let count = 0; count < 41; count++) statuses.push((await ask('/notes', ada)).status);
    expect(statuses.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => 200));
    expect(statuses).toContain(429);
    expect(await ask('/notes', bob)).toMatchObject({ status: 200, text: 'notes of bob' });
    expect((await ask('/notes')).status).toBe(401);
  });

  it('reject an address that guesses tokens, and no other request before', async () => {
    const app = await NestFactory.create(examples.AppModule, { logger: false });
    app.use(examples.rejectGuesses);
    const ask = await serve(app);
    const good = await as.issueToken({ audience: NOTES, sub: 'carol' });
    for (let count = 0; count < 15; count++) expect((await ask('/notes')).status).toBe(401);
    expect((await ask('/notes', good)).status).toBe(200);
    const statuses: number[] = [];
    for (let count = 0; count < 11; count++)
      statuses.push((await ask('/notes', `guess-${String(count)}`)).status);
    expect([statuses[0], statuses.at(-1)]).toEqual([401, 429]);
    expect((await ask('/notes', good)).status).toBe(429);
  });

  it('write no credentials to the log of pino', async () => {
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk: Buffer, _, done) {
        lines.push(chunk.toString());
        done();
      },
    });
    const app = await examples.createLogged(stream);
    app.useLogger(false);
    const ask = await serve(app);
    const token = await as.issueToken({ audience: NOTES });
    expect((await ask('/notes', token)).status).toBe(200);
    const written = lines.join('');
    expect(written).toContain('"authorization":"[Redacted]"');
    expect(written).not.toContain(token);
  });
});
