import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { CREDENTIALS } from '../fixtures/official-clients.js';
import { type SampleProcess, startSample, stopSample } from '../fixtures/sample-process.js';
import { verifies } from '../verifies.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');
const RECORDED = 'test/fixtures/doctor-output.txt';

interface Manifest {
  readonly bin: Record<string, string>;
}

describe('the built command', () => {
  const { bin } = JSON.parse(read('package.json')) as Manifest;
  let folder: string;
  let command: string;

  beforeAll(() => {
    // What npm installs, in a project that has no Nest and no client.
    folder = mkdtempSync(join(tmpdir(), 'doctor-installed-'));
    const installed = join(folder, 'node_modules/nestjs-mcp-auth');
    mkdirSync(installed, { recursive: true });
    cpSync(join(root, 'package.json'), join(installed, 'package.json'));
    cpSync(join(root, 'dist'), join(installed, 'dist'), { recursive: true });
    symlinkSync(join(root, 'node_modules/jose'), join(folder, 'node_modules/jose'));
    command = join(installed, bin['nestjs-mcp-auth'] ?? '');
  });

  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  /** Runs it as a process, and returns what it prints whatever its exit code. */
  async function run(...argv: string[]): Promise<{ stdout: string; stderr: string; code: number }> {
    const options = { cwd: folder, env: { PATH: process.env['PATH'] } };
    try {
      return { ...(await promisify(execFile)(process.execPath, [command, ...argv], options)), code: 0 };
    } catch (error) {
      return error as { stdout: string; stderr: string; code: number };
    }
  }

  verifies('DOC-15', 'has a line that lets a shell run it, and runs without Nest', async () => {
    expect(readFileSync(command, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/);
    const { version } = JSON.parse(read('package.json')) as { version: string };
    expect(await run('--version')).toEqual({ stdout: `${version}\n`, stderr: '', code: 0 });
    expect(await run('doctor', 'ftp://127.0.0.1')).toMatchObject({ stdout: '', code: 2 });
  });

  describe('at npm start', () => {
    let server: RunningAuthorizationServer;
    let notes: SampleProcess;
    let url: string;

    beforeAll(async () => {
      const port = String(await freePort());
      url = `http://127.0.0.1:${port}/notes`;
      const scopes = ['notes:read', 'notes:write', 'notes:admin'];
      server = await startAuthorizationServer({ port: 0, resources: { [url]: scopes }, ...CREDENTIALS });
      const settings = { MCP_RESOURCE: url, MCP_ISSUER: server.issuer, PORT: port };
      notes = await startSample('quickstart', 'Stop with Ctrl-C.', settings);
    });

    afterAll(async () => {
      await stopSample(notes);
      await server.close();
    });

    verifies('DOC-16', 'prints what the documentation shows', async () => {
      const { stdout, code } = await run('doctor', url);
      // "npm start" has fixed ports.
      const printed = stdout
        .replaceAll(new URL(url).origin, 'http://127.0.0.1:3000')
        .replaceAll(server.issuer, 'http://127.0.0.1:4000');
      expect([printed, code]).toEqual([read(RECORDED), 0]);
      expect(read('README.md')).toContain('npx nestjs-mcp-auth doctor http://127.0.0.1:3000/notes');
      expect(read('docs/operations/doctor.md')).toContain(`source="${RECORDED}`);
    });

    verifies('DOC-08', 'says how to install the official client', async () => {
      const { stdout, code } = await run('doctor', url, '--login', '--json');
      const { findings } = JSON.parse(stdout) as { findings: { id: string; cure?: string }[] };
      expect([code, findings.at(-1)?.id, findings.at(-1)?.cure]).toEqual([
        1,
        'client_missing',
        'Run: npm install --save-dev @modelcontextprotocol/client',
      ]);
    });
  });

  it('is the only command of the package', () => {
    expect(bin).toEqual({ 'nestjs-mcp-auth': 'dist/doctor/main.js' });
  });
});
