import { Injectable } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { RequireScopes, type McpAuthModuleOptions, toolChallengeForOpenAi } from 'nestjs-mcp-auth';
import { describe, expect } from 'vitest';
import { z } from 'zod';
import { freePort } from '../../sample/demo/src/free-port.js';
import { PLATFORMS, start, type RunningApp } from '../fixtures/app.js';
import type { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { examine, idsOf, problemsOf } from '../fixtures/doctor.js';
import { makeKey } from '../fixtures/keys.js';
import { mcpEndpoint } from '../fixtures/mcp-endpoint.js';
import { server } from '../fixtures/servers.js';
import { verifies } from '../verifies.js';

@McpController()
@Injectable()
class Notes {
  @Tool({ name: 'list_notes', description: 'List', parameters: z.object({}) })
  list() {
    return { content: [{ type: 'text' as const, text: 'no notes' }] };
  }

  @Tool({ name: 'add_note', description: 'Add', parameters: z.object({}) })
  @RequireScopes('notes:write')
  add() {
    return { content: [{ type: 'text' as const, text: 'added' }] };
  }
}

interface Deployed {
  readonly url: string;
  readonly as: LoopbackAuthorizationServer;
  readonly app: RunningApp;
}

describe.each(PLATFORMS)('the doctor at an application with the module, on %s', (platform) => {
  const deploy = async (
    more: Partial<McpAuthModuleOptions> = {},
    resource: Record<string, unknown> = {},
    statefulMode = false,
  ): Promise<Deployed> => {
    const as = await server();
    as.at(
      '/.well-known/oauth-authorization-server',
      as.metadata({ authorization_response_iss_parameter_supported: true }),
    );
    const port = await freePort();
    const url = `http://127.0.0.1:${String(port)}/notes`;
    const endpoint = mcpEndpoint({ statefulMode });
    const app = await start(
      {
        resources: {
          resource: url,
          authorizationServers: [as.issuer],
          requiredScopes: ['notes:read'],
          ...resource,
        },
        ...more,
      },
      { controllers: [endpoint.controller, Notes], prepare: endpoint.connect, platform, port },
    );
    return { url, as, app };
  };

  verifies('DOC-01', 'finds nothing wrong without a token', async () => {
    const { url } = await deploy();
    const report = await examine(url);
    expect([report.exitCode, idsOf(problemsOf(report))]).toEqual([0, ['preflight_denied']]);
    expect(idsOf(report.findings)).toEqual([
      'reached',
      ...['challenge', 'scope', 'resource_metadata', 'document', 'resource'],
      ...['issuer', 'pkce', 'registration', 'keys', 'origin', 'preflight_denied'],
      ...['bad_token', 'query_token', 'methods', 'session', 'versions'],
    ]);
  });

  verifies('DOC-01', 'finds nothing wrong with an origin that is allowed', async () => {
    const { url } = await deploy({}, { allowedOrigins: ['https://app.example.com'] });
    const report = await examine(url, ['--origin', 'https://app.example.com']);
    expect(problemsOf(report)).toEqual([]);
    expect(idsOf(report.findings)).toContain('preflight');
    const other = await examine(url, ['--origin', 'https://app.example.org']);
    expect(problemsOf(other).map(({ id, severity, subject }) => [id, severity, subject])).toEqual([
      ['preflight_denied', 'error', 'https://app.example.org'],
    ]);
  });

  verifies('DOC-01', 'tells open methods from missing authentication', async () => {
    const { url } = await deploy({}, { anonymousMethods: ['initialize', 'tools/list'] });
    const report = await examine(url);
    expect([report.exitCode, idsOf(problemsOf(report))]).toEqual([
      0,
      ['anonymous_requests', 'preflight_denied'],
    ]);
  });

  verifies('DOC-06', 'calls with a good token and lists the tools with their scopes', async () => {
    const { url, as } = await deploy();
    const token = await as.token({ aud: url, scope: 'notes:read notes:write' });
    const report = await examine(url, ['--token', token]);
    expect([report.exitCode, idsOf(problemsOf(report))]).toEqual([0, ['preflight_denied']]);
    const ofToken = report.findings.filter(({ check }) => check === 'token' || check === 'calls');
    expect(ofToken.map(({ id, subject, found }) => [id, subject, found])).toEqual([
      ['token_algorithm', undefined, 'RS256'],
      ['token_type', undefined, 'at+jwt'],
      ['token_issuer', undefined, as.issuer],
      ['token_audience', undefined, url],
      ['token_expired', undefined, expect.stringMatching(/^in (?:299|300) s$/)],
      ['token_scopes', undefined, 'notes:read notes:write'],
      ['token_signature', undefined, undefined],
      ['tools', 'MCP 2025-11-25', '2 tools'],
      ['tools', 'MCP 2026-07-28', '2 tools'],
      ['tool', 'list_notes', 'notes:read'],
      ['tool', 'add_note', 'notes:read notes:write'],
    ]);
  });

  verifies('DOC-06', 'calls a server with sessions, and ends the session', async () => {
    const { url, as } = await deploy({}, {}, true);
    const token = await as.token({ aud: url, scope: 'notes:read notes:write' });
    const found = (await examine(url, ['--token', token])).findings.filter(({ check }) => check === 'calls');
    expect(found.map(({ id, subject, found }) => [id, subject, found])).toEqual([
      ['tools', 'MCP 2025-11-25', '2 tools'],
      ['tools', 'MCP 2026-07-28', '2 tools'],
      ['tool', 'list_notes', 'notes:read'],
      ['tool', 'add_note', 'notes:read notes:write'],
    ]);
  });

  verifies(['DOC-04', 'DOC-06'], 'explains each token that the server rejects', async () => {
    const { url, as } = await deploy();
    const now = Math.floor(Date.now() / 1000);
    const other = await makeKey('RS256', as.key.kid);
    const good = { aud: url, scope: 'notes:read notes:write' };
    const cases: [string, string, string[]][] = [
      [
        'for another resource',
        await as.token({ ...good, aud: `${url}s` }),
        ['token_audience', 'call_invalid_token'],
      ],
      [
        'of another issuer',
        await as.token({ ...good, iss: 'https://as.example' }),
        ['token_issuer', 'call_invalid_token'],
      ],
      ['expired', await as.token({ ...good, exp: now - 3600 }), ['token_expired', 'call_invalid_token']],
      [
        'without expiry',
        await as.token({ ...good, exp: undefined }),
        ['token_without_expiry', 'call_invalid_token'],
      ],
      [
        'not yet valid',
        await as.token({ ...good, nbf: now + 3600 }),
        ['token_not_yet_valid', 'call_invalid_token'],
      ],
      [
        'of another type',
        await as.token(good, { header: { typ: 'dpop+jwt' } }),
        ['token_type', 'call_invalid_token'],
      ],
      [
        'bound to a key',
        await as.token({ ...good, cnf: { jkt: 'x' } }),
        ['token_bound', 'call_invalid_token'],
      ],
      [
        'signed by another key',
        await as.token(good, { key: other }),
        ['token_signature', 'call_invalid_token'],
      ],
      [
        'without scopes',
        await as.token({ ...good, scope: undefined }),
        ['token_scopes', 'call_insufficient_scope'],
      ],
      ['opaque', 'mF_9.B5f-4.1JqM.x', ['token_opaque', 'call_invalid_token']],
    ];
    for (const [name, token, expected] of cases) {
      const report = await examine(url, ['--token', token]);
      const found = problemsOf(report).filter(({ check }) => check === 'token' || check === 'calls');
      expect([name, ...idsOf(found)]).toEqual([name, ...expected]);
    }
  });

  verifies('DOC-06', 'says what the resource expects and what the token has', async () => {
    const { url, as } = await deploy();
    const report = await examine(url, [
      '--token',
      await as.token({ aud: 'https://api.example.com', scope: 'x' }),
    ]);
    const byId = new Map(report.findings.map((finding) => [finding.id, finding]));
    expect(byId.get('token_audience')).toMatchObject({ expected: url, found: 'https://api.example.com' });
    expect(byId.get('token_scopes')).toMatchObject({ expected: 'notes:read notes:write', found: 'x' });
    expect(byId.get('call_invalid_token')?.found).toBe(
      '401: invalid_token: The access token is invalid or expired',
    );
  });

  verifies('DOC-06', 'tells that the server cannot verify tokens', async () => {
    const { url, as } = await deploy();
    const token = await as.token({ aud: url, scope: 'notes:read' });
    as.at('/jwks', (_request, response) => response.writeHead(500).end());
    const found = problemsOf(await examine(url, ['--token', token]));
    expect(idsOf(found)).toEqual(expect.arrayContaining(['keys_unreachable', 'call_unavailable']));
  });

  verifies('DOC-14', 'judges the clients by what the server offers', async () => {
    const { url, as } = await deploy({ toolChallenge: toolChallengeForOpenAi }, { challengeScopes: 'all' });
    const verdicts = async () =>
      Object.fromEntries((await examine(url)).clients.map(({ name, verdict }) => [name, verdict]));
    const local = { 'Claude.ai': 'fails', ChatGPT: 'fails' };
    expect(await verdicts()).toEqual({
      'Official SDK v2': 'works',
      'Official SDK v1': 'works',
      'MCP Inspector CLI': 'works',
      'mcp-remote': 'works',
      'AI SDK': 'works',
      'MCPJam SDK': 'works',
      'Claude Code': 'works',
      ...local,
      Codex: 'limited',
      'VS Code': 'works',
      Cursor: 'works',
    });
    as.at(
      '/.well-known/oauth-authorization-server',
      as.metadata({ registration_endpoint: undefined, client_id_metadata_document_supported: true }),
    );
    expect(await verdicts()).toMatchObject({
      'AI SDK': 'limited',
      Cursor: 'limited',
      'Official SDK v1': 'works',
    });
  });
});
