import { Controller, Get, Post, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type AccessDeniedEvent,
  AuthInfo,
  BearerAuthGuard,
  McpAuthEvents,
  ResourceTokenVerifier,
} from 'nestjs-mcp-auth';
import { PLATFORMS, type RunningApp, startApp, startFailure } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { notesRejections, type Rejected, rejectedAs } from '../../fixtures/notes-rejections.js';
import { type RawRequest, sendRawRequest } from '../../fixtures/raw-request.js';
import { NOTES } from '../../fixtures/resources.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { verifies } from '../../verifies.js';

const { noToken, invalidToken, severalCredentials } = notesRejections('notes:read');

let ran = 0;

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  get(@AuthInfo('subject') subject: string): string {
    ran += 1;
    return subject;
  }

  @Post()
  post(@AuthInfo('subject') subject: string): string {
    ran += 1;
    return subject;
  }
}

describe.each(PLATFORMS)('the token of a request, on %s', (platform) => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;
  let token: string;
  let reasons: string[];
  /** An app whose verifier takes whatever it is given, and what that was. */
  let trusting: RunningApp;
  const seen: string[] = [];

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    token = await as.token({ aud: NOTES, scope: 'notes:read' });
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const parts = { controllers: [NotesController] };
    app = await startApp({ resources }, { ...parts, platform });
    const verifier = (given: string) => {
      seen.push(given);
      return { iss: as.issuer, aud: NOTES, sub: 'u1', scope: 'notes:read' };
    };
    trusting = await startApp({ resources, verifier }, { ...parts, platform });
    app.app.get(McpAuthEvents).on('access_denied', ({ reason }: AccessDeniedEvent) => reasons.push(reason));
  });

  afterAll(async () => {
    await app.close();
    await trusting.close();
    await as.close();
  });

  beforeEach(() => {
    ran = 0;
    reasons = [];
    seen.length = 0;
  });

  const ask = (request: RawRequest): Promise<HttpAnswer> => sendRawRequest(app.origin, request);
  const askWith = (...lines: string[]): Promise<HttpAnswer> => ask({ lines });

  async function expectAdmitted(request: RawRequest): Promise<void> {
    const before = ran;
    const { status, text } = await ask(request);
    expect({ status, text, ran: ran - before, request }).toEqual({
      status: 200,
      text: 'u1',
      ran: 1,
      request,
    });
  }

  /** Whether the verifier gets to see a token, and which. */
  async function seenOf(value: string): Promise<{ status: number; seen: string[] }> {
    seen.length = 0;
    const { status } = await sendRawRequest(trusting.origin, { lines: [`Authorization: Bearer ${value}`] });
    return { status, seen: [...seen] };
  }

  async function expectRejected(request: RawRequest, rejection: Rejected): Promise<void> {
    const before = ran;
    const answer = await ask(request);
    expect({ ...rejectedAs(answer), request }).toEqual({ ...rejection, request });
    expect(answer.headers['cache-control']).toBe('no-store');
    expect(ran).toBe(before);
  }

  /** What Node's parser rejects never comes to the application: 400, or 431, without a challenge. */
  async function expectUnparsed(status: number, ...lines: string[]): Promise<void> {
    const before = [ran, reasons.length];
    const answer = await askWith(...lines);
    expect({ status: answer.status, challenge: answer.headers['www-authenticate'], lines }).toEqual({
      status,
      challenge: undefined,
      lines,
    });
    expect([ran, reasons.length]).toEqual(before);
  }

  verifies(
    ['TOK-01', 'TOK-04'],
    'is taken from the header, in any letter case, by HTTP/1.0 too',
    async () => {
      for (const name of ['Authorization', 'authorization', 'AUTHORIZATION', 'aUTHORIZATION']) {
        for (const scheme of ['Bearer', 'bearer', 'BEARER', 'bEaReR']) {
          await expectAdmitted({ lines: [`${name}: ${scheme} ${token}`] });
        }
      }
      await expectAdmitted({ version: '1.0', lines: [`Authorization: Bearer ${token}`] });
      await expectRejected({ version: '1.0' }, noToken);
      for (const name of ['Authorisation', 'X-Authorization', 'Authorization2', 'uthorization']) {
        await expectRejected({ lines: [`${name}: Bearer ${token}`] }, noToken);
      }
    },
  );

  verifies(['TOK-02', 'F110'], 'is never taken from the query, alone or beside another', async () => {
    const lines = [`Authorization: Bearer ${token}`];
    const spellings = [
      `?access_token=${token}`,
      `?a=b&access_token=${token}`,
      `?%61ccess_token=${token}`,
      '?access_token',
      '?access_token=',
    ];
    for (const query of spellings) {
      await expectRejected({ method: 'POST', target: `/notes${query}` }, noToken);
      await expectRejected({ method: 'POST', target: `/notes${query}`, lines }, severalCredentials);
      await expectRejected({ target: `http://x/notes${query}`, lines }, severalCredentials);
    }
    for (const query of ['?access_tokens=x', '?a=access_token', '?Access_token=x', '?']) {
      await expectAdmitted({ target: `/notes${query}`, lines });
    }
  });

  verifies('TOK-03', 'is never taken from a body, a cookie or another header', async () => {
    const form = `access_token=${token}`;
    const json = JSON.stringify({ access_token: token });
    for (const [type, body] of [
      ['application/x-www-form-urlencoded', form],
      ['application/json', json],
    ] as const) {
      const lines = [`Content-Type: ${type}`, `Content-Length: ${String(body.length)}`];
      await expectRejected({ method: 'POST', lines, body }, noToken);
    }
    for (const line of [
      `Cookie: access_token=${token}`,
      `Cookie: Authorization=Bearer ${token}`,
      `X-Forwarded-Authorization: Bearer ${token}`,
      `Proxy-Authorization: Bearer ${token}`,
      `Sec-WebSocket-Protocol: bearer, ${token}`,
      `X-Api-Key: ${token}`,
      `WWW-Authenticate: Bearer ${token}`,
    ]) {
      await expectRejected({ lines: [line] }, noToken);
    }
  });

  verifies('TOK-05', 'stands behind one or more spaces, and nothing else', async () => {
    for (const value of [
      `Bearer ${token}`,
      `Bearer  ${token}`,
      `Bearer${' '.repeat(4000)}${token}`,
      `\tBearer ${token}`,
      `Bearer ${token} \t `,
    ]) {
      await expectAdmitted({ lines: [`Authorization: ${value}`] });
    }
    await expectAdmitted({ lines: [`Authorization:Bearer ${token}`] });
    for (const value of [
      `Bearer\t${token}`,
      `Bearer${token}`,
      `Bearer=${token}`,
      `Bearer: ${token}`,
      `Bearer\u00a0${token}`,
      `BearerX ${token}`,
      `Beare ${token}`,
      `"Bearer" ${token}`,
      token,
      `Basic ${token}`,
      `DPoP ${token}`,
      'Bearer',
      'Bearer ',
      'Bearer \t ',
      '',
      ' ',
    ]) {
      await expectRejected({ lines: [`Authorization: ${value}`] }, noToken);
    }
    expect(new Set(reasons)).toEqual(new Set(['unsupported_scheme', 'missing_token']));
    await expectRejected({ lines: [`Authorization: Bearer \t${token}`] }, invalidToken);
  });

  verifies('TOK-06', 'has the characters of b64token, or is rejected without verification', async () => {
    const values = [
      `${token} x`,
      `${token},x`,
      `${token},`,
      `${token}, realm="x"`,
      `${token}\u00a0`,
      `${token}\u00e9`,
      `t\u00f6k`,
      `${token}\u0085`,
      `"${token}"`,
      `'${token}'`,
      `<${token}>`,
      `a=b`,
      '=',
      `${token}%20`,
      `${token};`,
      `${token}:`,
      `${token}@`,
      `${token}!`,
      `Bearer ${token}`,
    ];
    for (const value of values) {
      await expectRejected({ lines: [`Authorization: Bearer ${value}`] }, invalidToken);
      expect({ ...(await seenOf(value)), value }).toEqual({ status: 401, seen: [], value });
    }
    expect(reasons).toEqual(values.map(() => 'malformed'));
    for (const value of ['x', '-._~+/', 'AZaz09==', '~', '/', '+', token]) {
      expect(await seenOf(value)).toEqual({ status: 200, seen: [value] });
    }
  });

  it('never comes with a character that ends a line or a text', async () => {
    for (const character of [
      '\u0000',
      '\u0001',
      '\u0007',
      '\u0008',
      '\u001f',
      '\u007f',
      '\r',
      '\n',
      '\r\r',
    ]) {
      await expectUnparsed(400, `Authorization: Bearer ${token}${character}`);
      await expectUnparsed(400, `Authorization: Bearer ${token}${character}X-More: x`);
    }
    for (const folded of [`Bearer\r\n ${token}`, `Bearer\r\n\t${token}`, `Bearer ${token}\r\n `]) {
      await expectUnparsed(400, `Authorization: ${folded}`);
    }
    await expectUnparsed(400, `Authorization: Bearer ${token.slice(0, 20)}\r\n ${token.slice(20)}`);
    await expectUnparsed(400, `Authorization : Bearer ${token}`);
    await expectAdmitted({ lines: [`Authorization: Bearer ${token}`] });
  });

  verifies(
    ['TOK-07', 'H10'],
    'is rejected if a request has more than one, in any order and spelling',
    async () => {
      const good = `Authorization: Bearer ${token}`;
      for (const lines of [
        [good, 'Authorization: Bearer evil'],
        ['Authorization: Bearer evil', good],
        [good, good],
        [good, good.toUpperCase()],
        [good, 'X-Between: x', `authorization: Bearer ${token}`],
        ['Authorization: Basic dTpw', good],
        [good, 'Authorization:'],
        ['Authorization:', good],
        ['Authorization: Bearer', good],
        [`${good}, Bearer ${token}`],
        [`${good},Bearer ${token}`],
        [`${good} , Bearer evil`],
        ['Authorization: Bearer evil, Bearer x'],
        [`Authorization: Basic dTpw, Bearer ${token}`],
        [`Authorization: , Bearer ${token}`],
        [`${good}, DPoP ${token}`],
      ]) {
        await expectRejected({ lines }, severalCredentials);
      }
      await expectAdmitted({ lines: ['X-Authorization: Bearer evil', good, 'Proxy-Authorization: Basic x'] });
    },
  );

  verifies(['TOK-08', 'H21'], 'is up to 8192 characters long', async () => {
    for (const length of [8193, 12_000, 15_000]) {
      for (const character of ['a', '=', ' x', '.', '"', ',']) {
        const value = character.repeat(length / character.length);
        const started = performance.now();
        await expectRejected({ lines: [`Authorization: Bearer x${value}`] }, invalidToken);
        expect(performance.now() - started).toBeLessThan(500);
      }
    }
    expect(new Set(reasons)).toEqual(new Set(['too_long']));
    for (const [length, expected] of [
      [8192, 200],
      [8193, 401],
    ] as const) {
      const value = 'a'.repeat(length);
      expect(await seenOf(value)).toEqual({ status: expected, seen: expected === 200 ? [value] : [] });
    }
    await expectUnparsed(431, `Authorization: Bearer ${'a'.repeat(20_000)}`);
    await expectAdmitted({ lines: [`Authorization: Bearer ${token}`] });
  });

  verifies('TOK-08', 'may be as long as the application says', async () => {
    for (const maxTokenLength of [1024, 14_000]) {
      const limited = closeAfterTest(
        await startApp(
          {
            resources: { resource: NOTES, authorizationServers: [as.issuer] },
            verifier: () => ({ iss: as.issuer, aud: NOTES, sub: 'u1' }),
            maxTokenLength,
          },
          { controllers: [NotesController], platform },
        ),
      );
      const verifier = limited.app.get(ResourceTokenVerifier);
      const [longest, tooLong] = ['a'.repeat(maxTokenLength), 'a'.repeat(maxTokenLength + 1)];
      const statusOf = async (value: string): Promise<number> =>
        (await sendRawRequest(limited.origin, { lines: [`Authorization: Bearer ${value}`] })).status;
      expect([await statusOf(longest), await statusOf(tooLong)]).toEqual([200, 401]);
      expect(await verifier.verifyAccessToken(longest)).toMatchObject({ subject: 'u1' });
      await expect(verifier.verifyAccessToken(tooLong)).rejects.toThrow();
    }
    for (const maxTokenLength of [1023, 65_537, 2000.5, '2000' as never]) {
      const resources = { resource: NOTES, authorizationServers: [as.issuer] };
      const { message } = await startFailure({ resources, maxTokenLength });
      expect(message).toContain('maxTokenLength: must be a whole number of characters from 1024 to 65536');
    }
  });

  verifies(['TOK-09', 'H21'], 'is found in linear time', async () => {
    const many = 15_000;
    for (const [value, rejection] of [
      [`Bearer${' '.repeat(many)}x`, invalidToken],
      [`Bearer ${'='.repeat(many)}`, invalidToken],
      [`Bearer x${' '.repeat(many)}y`, invalidToken],
      [`Bearer x${' \t'.repeat(many / 2)}y`, invalidToken],
      [`Bearer ${','.repeat(many)}`, invalidToken],
      [`Bearer x${', '.repeat(many / 2)}`, invalidToken],
      [`Bearer x,${'a'.repeat(many)}`, invalidToken],
      [' '.repeat(many), noToken],
      [`x${' '.repeat(many)}`, noToken],
    ] as const) {
      const started = performance.now();
      await expectRejected({ lines: [`Authorization: ${value}`] }, rejection);
      expect(performance.now() - started).toBeLessThan(500);
    }
  });

  verifies('TOK-10', 'is needed with every method', async () => {
    for (const method of ['GET', 'POST']) await expectRejected({ method }, noToken);
    const { status, headers, text } = await ask({ method: 'HEAD' });
    expect([status, headers['www-authenticate'], text]).toEqual([401, noToken.challenge, '']);
  });
});
