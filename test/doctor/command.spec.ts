import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { doctor, examine, idsOf, problemsOf } from '../fixtures/doctor.js';
import { deploy } from '../fixtures/doctor-deployment.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { SELF_SIGNED } from '../fixtures/self-signed.js';
import { verifies } from '../verifies.js';

const folder = mkdtempSync(join(tmpdir(), 'doctor-spec-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What a terminal gets in color. */
// eslint-disable-next-line no-control-regex -- colors are control sequences
const COLOR = /\u001b\[\d+m/;

describe('the command doctor', () => {
  verifies('DOC-11', 'exits with 0 without errors, and with --strict also without warnings', async () => {
    const right = await deploy();
    const warned = await deploy({ challenge: (parameters) => [parameters, parameters] });
    const code = async (...argv: string[]) => (await doctor(['doctor', ...argv])).code;
    expect(await code(right.url)).toBe(0);
    expect(await code(right.url, '--strict')).toBe(0);
    expect(await code(warned.url)).toBe(0);
    expect(await code(warned.url, '--strict')).toBe(1);
  });

  verifies('DOC-11', 'exits with 2 if the server cannot be reached', async () => {
    const url = `http://127.0.0.1:${String(await freePort())}/mcp`;
    const report = await examine(url);
    expect([report.exitCode, idsOf(report.findings)]).toEqual([2, ['connection_failed']]);
    expect((await doctor(['doctor', url])).code).toBe(2);
    expect(report.clients.every(({ verdict }) => verdict === 'fails')).toBe(true);
  });

  verifies(
    ['DOC-11', 'DOC-18'],
    'exits with 2 for wrong usage, and says on the standard error what to write',
    async () => {
      const run = await doctor(['doctor', 'api.example.com']);
      expect(run).toEqual({
        code: 2,
        stdout: '',
        stderr:
          'The URL must begin with https:// or http://, such as https://api.example.com/mcp\n' +
          'Run nestjs-mcp-auth --help for all options.\n',
      });
    },
  );

  it('prints its help and its version', async () => {
    for (const argv of [[], ['--help'], ['doctor', '--help']]) {
      expect(await doctor(argv)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(/^Usage: nestjs-mcp-auth doctor URL/),
      });
    }
    expect((await doctor(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  verifies('DOC-18', 'documents each option', async () => {
    const { stdout } = await doctor(['--help']);
    const page = readFileSync(new URL('../../docs/operations/doctor.md', import.meta.url), 'utf8');
    const options = [...new Set(stdout.match(/--[a-z-]+/g))].filter(
      (each) => !/--(?:help|version)/.test(each),
    );
    expect(options.length).toBeGreaterThan(12);
    expect(options.filter((option) => !page.includes(`\`${option}`))).toEqual([]);
  });

  verifies('DOC-12', 'colors severities on a terminal, unless NO_COLOR is set', async () => {
    const { url } = await deploy();
    const stdout = async (isTTY: boolean, env: Record<string, string>) =>
      (await doctor(['doctor', url], { isTTY, env })).stdout;
    expect(await stdout(true, {})).toMatch(COLOR);
    expect(await stdout(true, { NO_COLOR: '1' })).not.toMatch(COLOR);
    expect(await stdout(false, {})).not.toMatch(COLOR);
  });

  verifies('DOC-12', 'prints each step when it begins, and its findings when it ends', async () => {
    const printed: string[] = [];
    const { url } = await deploy();
    const { stdout } = await doctor(['doctor', url], { onOutput: (text) => printed.push(text) });
    expect(printed.length).toBeGreaterThan(20);
    expect(stdout.match(/^[A-Z][^.\n]*$/gm)).toEqual([
      ...['Reach', 'Challenge', 'Metadata of the resource', 'Authorization servers', 'Browsers'],
      ...['Requests without a good token', 'Clients'],
    ]);
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/mcp\n/);
    expect(stdout).toMatch(/\nNo errors, no warnings, 1 note\.\n$/);
  });

  verifies('DOC-12', 'prints JSON with the members that are documented', async () => {
    const { url } = await deploy({ challenge: (parameters) => [parameters, parameters] });
    const report = await examine(url);
    expect(Object.keys(report)).toEqual([
      ...['schema', 'version', 'url', 'exitCode', 'summary', 'findings', 'clients'],
    ]);
    expect(report).toMatchObject({ schema: 1, url, exitCode: 0, summary: { note: 1, warning: 1, error: 0 } });
    const members = new Set(report.findings.flatMap((finding) => Object.keys(finding)));
    expect([...members].sort()).toEqual([
      'check',
      'cure',
      'expected',
      'found',
      'id',
      'link',
      'severity',
      'subject',
      'title',
    ]);
    const ofClients = new Set(report.clients.flatMap((verdict) => Object.keys(verdict)));
    expect([...ofClients].sort()).toEqual(['link', 'name', 'reasons', 'verdict']);
    expect(report.summary.ok).toBe(report.findings.filter(({ severity }) => severity === 'ok').length);
  });

  verifies('DOC-05', 'takes a token from its option, the environment or the standard input', async () => {
    const { url, requests } = await deploy();
    await doctor(['doctor', url, '--token', 'by-option'], { env: { MCP_TOKEN: 'not-this' } });
    await doctor(['doctor', url], { env: { MCP_TOKEN: 'by-environment' } });
    await doctor(['doctor', url, '--token', '-'], { stdin: 'by-input\n' });
    const sent = new Set(requests.map(({ headers }) => headers.authorization));
    expect([...sent].filter((value) => value?.startsWith('Bearer by-'))).toEqual([
      ...['Bearer by-option', 'Bearer by-environment', 'Bearer by-input'],
    ]);
    expect(sent.has('Bearer not-this')).toBe(false);
    expect(await doctor(['doctor', url, '--token', '-'], { stdin: '' })).toMatchObject({ code: 2 });
  });

  verifies('DOC-13', 'names a certificate that is not trusted, and trusts that of --ca', async () => {
    const { url } = await deploy({ tls: SELF_SIGNED });
    const untrusted = await examine(url);
    expect([untrusted.exitCode, idsOf(untrusted.findings)]).toEqual([2, ['tls_self_signed']]);
    expect(untrusted.findings[0]?.cure).toContain('--ca FILE');
    const file = join(folder, 'ca.pem');
    writeFileSync(file, SELF_SIGNED.cert);
    const trusted = await examine(url, ['--ca', file]);
    expect([trusted.exitCode, idsOf(problemsOf(trusted))]).toEqual([0, ['preflight_denied']]);
  });

  verifies('DOC-13', 'names a certificate for another host, and a port without TLS', async () => {
    const { url } = await deploy({ tls: SELF_SIGNED });
    const file = join(folder, 'ca.pem');
    writeFileSync(file, SELF_SIGNED.cert);
    const byName = url.replace('127.0.0.1', 'localhost');
    expect(idsOf((await examine(byName, ['--ca', file])).findings)).toEqual(['tls_wrong_name']);
    const plain = await deploy();
    expect(idsOf((await examine(plain.url.replace('http:', 'https:'))).findings)).toEqual(['tls_failed']);
  });

  verifies('DOC-18', 'says that a file of --ca cannot be read or is none', async () => {
    const { url } = await deploy();
    const file = join(folder, 'nothing.pem');
    const of = async (path: string) => (await doctor(['doctor', url, '--ca', path])).stderr.split('\n')[0];
    expect(await of(file)).toBe('The file of --ca cannot be read.');
    writeFileSync(file, 'no certificate');
    expect(await of(file)).toBe('The file of --ca has no certificate in PEM.');
  });

  it('says that a name cannot be resolved', async () => {
    const report = await examine('https://nothing.invalid/mcp');
    expect([report.exitCode, idsOf(report.findings)]).toEqual([2, ['name_not_found']]);
  });
});
