import { Controller, Get, UseGuards } from '@nestjs/common';
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AuthInfo, BearerAuthGuard } from 'nestjs-mcp-auth';
import { TestAuthorizationServer, type TestTokenOptions } from 'nestjs-mcp-auth/testing';
import { start } from '../fixtures/app.js';
import { send } from '../fixtures/http.js';
import { notesRejections, rejectedAs, UNAVAILABLE } from '../fixtures/notes-rejections.js';
import { ADMIN, NOTES, NOTES_METADATA, PRM } from '../fixtures/resources.js';

const { noToken, invalidToken, insufficientScope } = notesRejections('notes:read');

const main = fileURLToPath(new URL('../../sample/dist/migration/src/main.js', import.meta.url));
const NAMES = ['hand-written', 'mcp-auth', 'after'] as const;
type Name = (typeof NAMES)[number];

/** The three versions, each in a process of its own: what mcp-auth does to types and requests stays there. */
class Versions {
  private constructor(
    readonly server: TestAuthorizationServer,
    private readonly running: readonly { name: Name; process: ChildProcess; origin: string }[],
  ) {}

  static async start(): Promise<Versions> {
    const server = await TestAuthorizationServer.start();
    return new Versions(server, await Promise.all(NAMES.map((name) => startVersion(name, server.issuer))));
  }

  token(options: TestTokenOptions = {}): Promise<string> {
    return this.server.issueToken({ audience: NOTES, scopes: ['notes:read'], ...options });
  }

  /** What each version answers to a call of a tool. */
  call(headers: Record<string, string>, tool = 'whoami') {
    const params = { name: tool, arguments: {} };
    const body = { jsonrpc: '2.0', id: 1, method: 'tools/call', params };
    return this.ask('/notes', { method: 'POST', headers, body });
  }

  async callWith(options: TestTokenOptions, tool?: string) {
    return this.call({ authorization: `Bearer ${await this.token(options)}` }, tool);
  }

  async ask(...[path, options]: [string, Parameters<typeof send>[2]?]) {
    const answers = await Promise.all(this.running.map(({ origin }) => send(origin, path, options)));
    const [handWritten, mcpAuth, after] = answers as [
      ...[(typeof answers)[0], (typeof answers)[0]],
      (typeof answers)[0],
    ];
    return { handWritten, mcpAuth, after };
  }

  async close(): Promise<void> {
    for (const { process } of this.running) process.kill();
    await this.server.close();
  }
}

/** @throws what it printed, when it ends before it listens */
function startVersion(
  name: Name,
  issuer: string,
): Promise<{ name: Name; process: ChildProcess; origin: string }> {
  const env = { ...process.env, MCP_RESOURCE: NOTES, MCP_ISSUER: issuer, PORT: '0' };
  const child = spawn(process.execPath, [main, name], { env });
  let output = '';
  return new Promise((resolve, reject) => {
    child.stderr.on('data', (data) => (output += String(data)));
    child.stdout.on('data', (data) => {
      output += String(data);
      const [, origin] = /(http:\S+)\/notes/.exec(output) ?? [];
      if (origin !== undefined) resolve({ name, process: child, origin });
    });
    child.on('exit', () => {
      reject(new Error(output));
    });
  });
}

const CHALLENGE = `Bearer resource_metadata="${NOTES_METADATA}"`;
const UNAUTHORIZED = {
  status: 401,
  challenge: CHALLENGE,
  json: { message: 'Unauthorized', statusCode: 401 },
};

/** A rejection of mcp-auth: its own code, in the challenge and in the body. */
const ofMcpAuth = (status: number, error: string, description: string, more: object = {}) => ({
  status,
  challenge:
    `Bearer error="${error}", error_description="${description}"` +
    (status === 401 ? `, resource_metadata="${NOTES_METADATA}"` : ''),
  json: { error, error_description: description, ...more },
});
const MALFORMED = ofMcpAuth(401, 'invalid_token', 'The provided token is invalid or malformed.');

const toolText = (text: string, more: object = {}) => ({
  status: 200,
  challenge: undefined,
  json: { jsonrpc: '2.0', id: 1, result: { content: [{ type: 'text', text }], ...more } },
});
const IN = toolText('user-1');

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  caller(@AuthInfo() { subject, clientId, scopes }: AuthInfo) {
    return [subject, clientId, scopes];
  }
}

describe('sample/migration', () => {
  let versions: Versions;

  beforeAll(async () => {
    versions = await Versions.start();
  });

  afterAll(() => versions.close());

  const rejections = (answers: Awaited<ReturnType<Versions['call']>>) =>
    Object.fromEntries(Object.entries(answers).map(([name, answer]) => [name, rejectedAs(answer)]));

  it('lets the same token in, and the handler knows the same caller', async () => {
    expect(rejections(await versions.callWith({}))).toEqual({ handWritten: IN, mcpAuth: IN, after: IN });
    const both = { scopes: ['notes:read', 'notes:write'] };
    const deleted = toolText('deleted');
    expect(rejections(await versions.callWith(both, 'purge_notes'))).toEqual({
      handWritten: deleted,
      mcpAuth: deleted,
      after: deleted,
    });
  });

  it('tells a client without a token what to ask for, and of no error', async () => {
    expect(rejections(await versions.call({}))).toEqual({
      handWritten: UNAUTHORIZED,
      mcpAuth: ofMcpAuth(
        401,
        'missing_auth_header',
        'Missing `Authorization` header. Please provide a valid bearer token.',
      ),
      after: noToken,
    });
  });

  it('calls a bad token invalid_token', async () => {
    expect(rejections(await versions.callWith({ expiresInSeconds: -60 }))).toEqual({
      handWritten: UNAUTHORIZED,
      mcpAuth: MALFORMED,
      after: invalidToken,
    });
  });

  it('rejects a token for another resource, which the hand-written guard let in', async () => {
    expect(rejections(await versions.callWith({ audience: ADMIN }))).toEqual({
      handWritten: IN,
      mcpAuth: ofMcpAuth(401, 'invalid_audience', 'The token audience does not match the expected audience.'),
      after: invalidToken,
    });
  });

  it.each<[string, TestTokenOptions]>([
    ['an ID token', { typ: 'JWT', claims: { nonce: 'n' } }],
    ['a token that says that it is another kind', { typ: 'logout+jwt' }],
    ['a token that never expires', { claims: { exp: undefined } }],
    ['a token that is bound to a key', { claims: { cnf: { jkt: 'thumbprint' } } }],
  ])('rejects %s, which both let in', async (_, token) => {
    expect(rejections(await versions.callWith(token))).toEqual({
      handWritten: IN,
      mcpAuth: IN,
      after: invalidToken,
    });
  });

  it('asks for the scopes of the resource in a way that clients understand', async () => {
    expect(rejections(await versions.callWith({ scopes: ['other'] }))).toEqual({
      handWritten: IN,
      mcpAuth: ofMcpAuth(
        403,
        'missing_required_scopes',
        'The token does not contain the necessary scopes for this request.',
        { missing_scopes: ['notes:read'] },
      ),
      after: insufficientScope('notes:read'),
    });
  });

  it('asks for the scopes of a tool by HTTP, before it runs', async () => {
    const error = { code: -32600, message: "Tool 'purge_notes' requires scopes: notes:write" };
    expect(rejections(await versions.callWith({}, 'purge_notes'))).toEqual({
      handWritten: { status: 200, challenge: undefined, json: { jsonrpc: '2.0', id: 1, error } },
      mcpAuth: toolText('Missing scope notes:write', { isError: true }),
      // All that it needs, as this client names no version of the protocol in which clients keep what they have.
      after: insufficientScope('notes:read notes:write'),
    });
  });

  it('takes the scheme in any case', async () => {
    const authorization = `bearer ${await versions.token()}`;
    expect(rejections(await versions.call({ authorization }))).toEqual({
      handWritten: UNAUTHORIZED,
      mcpAuth: IN,
      after: IN,
    });
  });

  it('rejects the pages of other origins', async () => {
    const headers = { authorization: `Bearer ${await versions.token()}`, origin: 'https://evil.example' };
    const { handWritten, mcpAuth, after } = await versions.call(headers);
    expect([handWritten.status, mcpAuth.status, after.status]).toEqual([200, 200, 403]);
    expect(after.json).toMatchObject({ error: 'forbidden_origin' });
  });

  it('serves the same metadata, with what caches and browsers need', async () => {
    const { handWritten, mcpAuth, after } = await versions.ask(`${PRM}/notes`);
    const scopes = { scopes_supported: ['notes:read', 'notes:write'] };
    const document = { resource: NOTES, authorization_servers: [versions.server.issuer], ...scopes };
    for (const answer of [handWritten, mcpAuth, after]) {
      expect(answer).toMatchObject({ status: 200, json: document });
    }
    const of = ({ headers }: typeof after) => [
      headers['access-control-allow-origin'],
      headers['cache-control'],
    ];
    expect([of(handWritten), of(mcpAuth), of(after)]).toEqual([
      [undefined, undefined],
      ['*', undefined],
      ['*', 'public, max-age=3600'],
    ]);
  });

  it('does not send clients to log in again while the authorization server is down', async () => {
    const others = await Versions.start();
    try {
      others.server.fail('jwks', { status: 500 });
      const answers = await others.callWith({});
      expect(rejections(answers)).toEqual({
        handWritten: UNAUTHORIZED,
        mcpAuth: MALFORMED,
        after: UNAVAILABLE,
      });
      expect(answers.after.headers).toHaveProperty('retry-after');
    } finally {
      await others.close();
    }
  });

  it('takes what a verifier for mcp-auth returns, and decides on it', async () => {
    const { issuer } = versions.server;
    const verify = (token: string) => ({
      token,
      issuer,
      subject: 'user-1',
      clientId: 'client-1',
      scopes: ['notes:read'],
      audience: token === 'good' ? NOTES : ADMIN,
      claims: { iss: issuer },
    });
    const resources = { resource: NOTES, authorizationServers: [issuer], requiredScopes: ['notes:read'] };
    const app = await start({ resources, verifier: verify }, { controllers: [NotesController] });
    const ask = (token: string) => app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
    expect(await ask('good')).toMatchObject({ status: 200, json: ['user-1', 'client-1', ['notes:read']] });
    expect(rejectedAs(await ask('other'))).toEqual(invalidToken);
  });
});
