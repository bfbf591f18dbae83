import type { INestApplication } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { Person } from '../../sample/demo/src/person.js';
import { deploy } from '../fixtures/doctor-deployment.js';
import { doctor, idsOf, problemsOf } from '../fixtures/doctor.js';
import type { JsonReport } from '../../lib/doctor/report-json.js';
import { CREDENTIALS } from '../fixtures/official-clients.js';
import { send } from '../fixtures/http.js';
import { verifies } from '../verifies.js';

describe('the doctor with --login', () => {
  let server: RunningAuthorizationServer;
  let app: INestApplication;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${String(port)}/notes`;
    const scopes = ['notes:read', 'notes:write', 'notes:admin'];
    server = await startAuthorizationServer({ port: 0, resources: { [url]: scopes }, ...CREDENTIALS });
    Object.assign(process.env, { MCP_RESOURCE: url, MCP_ISSUER: server.issuer });
    const { startNotesServer } = await import('../../sample/quickstart/src/start.js');
    app = await startNotesServer(port, ['error']);
  });

  afterAll(async () => {
    await app.close();
    await server.close();
  });

  /** Runs the command, and plays the person at each address that it prints. */
  async function login(options: readonly string[], answer: 'authorize' | 'deny' = 'authorize') {
    const person = new Person(CREDENTIALS);
    const opened: URL[] = [];
    const onOutput = (text: string): void => {
      const [, address] = /Open this in your browser:\n {2}(\S+)\n/.exec(text) ?? [];
      if (address === undefined) return;
      opened.push(new URL(address));
      void person[answer](new URL(address)).then((redirect) => fetch(redirect));
    };
    const run = await doctor(['doctor', url, '--login', '--no-open', '--json', ...options], { onOutput });
    const report = JSON.parse(run.stdout) as JsonReport;
    return { ...run, report, opened, found: report.findings.filter(({ check }) => check === 'login') };
  }

  verifies('DOC-07', 'signs in, and lists the tools with their scopes', async () => {
    const { code, found, opened, report } = await login([]);
    expect(found.map(({ id, subject, found: what }) => [id, subject, what])).toEqual([
      ['login', undefined, 'notes:read'],
      ['tool', 'list_notes', 'notes:read'],
      ['tool', 'add_note', 'notes:read notes:write'],
      ['tool', 'purge_notes', 'notes:read notes:admin'],
      ['tool', 'whoami', 'notes:read'],
    ]);
    expect(
      opened.map(({ searchParams }) => [searchParams.get('resource'), searchParams.get('scope')]),
    ).toEqual([[url, 'notes:read offline_access']]);
    expect([code, idsOf(problemsOf(report))]).toEqual([0, ['client_documents_missing', 'preflight_denied']]);
  });

  verifies(['DOC-07', 'DOC-05'], 'steps up for a tool that needs more, and prints no token', async () => {
    const { code, found, opened, stdout, stderr } = await login([
      ...['--call', 'add_note', '--arguments', '{"text":"milk"}'],
    ]);
    expect(found.slice(-2).map(({ id, subject, found: what }) => [id, subject, what])).toEqual([
      ['step_up', undefined, 'notes:read notes:write'],
      ['tool_called', 'add_note', '1 notes'],
    ]);
    expect([code, opened.length]).toEqual([0, 2]);
    expect(stdout + stderr).not.toMatch(/eyJ|[?&]code=/);
  });

  verifies('DOC-07', 'says why a tool cannot be called', async () => {
    const { code, found } = await login(['--call', 'no_such_tool']);
    expect([code, found.at(-1)?.id, found.at(-1)?.subject]).toEqual([1, 'tool_failed', 'no_such_tool']);
  });

  verifies('DOC-07', 'says that the person denied it', async () => {
    const { code, found } = await login([], 'deny');
    expect([code, idsOf(found)]).toEqual([1, ['login_failed']]);
    expect(found[0]?.found).toBe('The person denied the request.');
  });

  verifies('DOC-07', 'uses a registered client and a fixed port', async () => {
    const port = String(await freePort());
    const redirect = `http://127.0.0.1:${port}/callback`;
    const body = { redirect_uris: [redirect], token_endpoint_auth_method: 'none' };
    const registered = await send(server.issuer, '/reg', { method: 'POST', body });
    const { client_id: clientId } = registered.json as { client_id: string };
    const { opened, found } = await login(['--client-id', clientId, '--callback-port', port]);
    const [asked] = opened.map(({ searchParams }) => searchParams);
    expect([asked?.get('client_id'), asked?.get('redirect_uri')]).toEqual([clientId, redirect]);
    expect(idsOf(found)).toContain('login');
  });

  verifies('DOC-07', 'uses a client ID metadata document', async () => {
    const document = 'https://client.example/doctor.json';
    const { url: other } = await deploy();
    const clients: (string | null)[] = [];
    const onOutput = (text: string): void => {
      const [, address] = /Open this in your browser:\n {2}(\S+)\n/.exec(text) ?? [];
      if (address === undefined) return;
      const { searchParams } = new URL(address);
      clients.push(searchParams.get('client_id'));
      const state = searchParams.get('state') ?? '';
      void fetch(`${searchParams.get('redirect_uri') ?? ''}?error=access_denied&state=${state}`);
    };
    const argv = ['doctor', other, '--login', '--no-open', '--client-metadata', document];
    const { stdout } = await doctor(argv, { onOutput });
    expect(clients).toEqual([document]);
    expect(stdout).toContain('The official client could not sign in');
  });

  verifies('DOC-07', 'says that the port is taken', async () => {
    const taken = new URL(url).port;
    const { found } = await login(['--callback-port', taken]);
    expect(found.map(({ id, found: what }) => [id, what])).toEqual([
      ['login_failed', `port ${taken} is taken`],
    ]);
  });
});
