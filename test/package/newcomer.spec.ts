import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../sample/demo/src/free-port.js';
import { ERROR_PAGE } from '../../lib/mcp-auth.constants.js';
import { firstRun, readme, type ShownCommand } from './readme.js';
import { type NewManifest, root, run, TIMEOUT_MS, Workspace } from './workspace.js';

/** What the README may cost a newcomer, on a machine of CI. Unit: milliseconds. */
const FIVE_MINUTES_MS = 300_000;

/** Of the newest Nest 11. */
const SCHEMATICS = '11.1.0';

/** What the newest releases are that a newcomer gets, where the package is developed with another one. */
const NEWEST: Readonly<Record<string, string>> = { typescript: '7.0.2' };

/** What a new project of Nest 11 needs to be compiled, started and tested; the rest only makes the installation longer. */
const TOOLS = /^(@nestjs\/(cli|schematics|testing)|@types\/(express|jest|node)|jest|ts-jest|typescript)$/;

const NEST_11 = {
  '@nestjs/common': '11.2.10',
  '@nestjs/core': '11.2.10',
  '@nestjs/platform-express': '11.2.10',
};

/** The line that the documentation gives. */
const jestLine = JSON.parse(await readFile(join(root, 'test/package/jest-options.json'), 'utf8')) as object;

const guide = firstRun();

describe.concurrent('a newcomer who follows the README', { timeout: 2 * TIMEOUT_MS }, () => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await Workspace.make();
  }, TIMEOUT_MS);

  afterAll(() => workspace.remove(), TIMEOUT_MS);

  it('calls a protected tool with a token in less than five minutes, on Nest 12 as ESM', async () => {
    await mkdir(workspace.at('empty'));
    const startedAt = Date.now();
    await shell(workspace.at('empty'), await withVersions(guide.install, workspace));
    // The first line of the README makes this folder.
    const folder = workspace.at('empty', 'notes');
    await writeFile(join(folder, guide.name), guide.file);
    await shell(folder, guide.compile);
    expect(await answers(folder, guide.start)).toEqual(guide.calls);
    const spentMs = Date.now() - startedAt;
    console.log(`First run on Nest 12: ${(spentMs / 1000).toFixed(0)} s`);
    expect(spentMs).toBeLessThan(FIVE_MINUTES_MS);
    expect(await workspace.json('empty/notes/node_modules/@nestjs/core/package.json')).toMatchObject({
      version: '12.5.1',
      type: 'module',
    });
  });

  it('calls it in a new project of Nest 11 as CommonJS, and tests it with jest', async () => {
    const startedAt = Date.now();
    await workspace.installNew('nest-11', SCHEMATICS, 'npm', newProject);
    const folder = workspace.at('nest-11');
    await rename(
      join(folder, 'src/app.controller.__specFileSuffix__.ts'),
      join(folder, 'src/app.controller.spec.ts'),
    );
    const install = guide.install.split('\n').at(-1) ?? '';
    expect(readme).toContain('With Nest 11, install `@nestjs/microservices@11`.');
    await shell(folder, await withVersions(install, workspace, { '@nestjs/microservices': '11.2.6' }));
    await writeFile(join(folder, 'src/main.ts'), guide.file);
    expect(readme).toContain('save the file as `src/main.ts`, and run `NODE_ENV=development npm start`');
    expect(await answers(folder, 'NODE_ENV=development npm start')).toEqual(guide.calls);
    const spentMs = Date.now() - startedAt;
    console.log(`First run on Nest 11: ${(spentMs / 1000).toFixed(0)} s`);
    expect(spentMs).toBeLessThan(FIVE_MINUTES_MS);

    await writeFile(join(folder, 'src/main.spec.ts'), await jestSpec());
    const manifest = (await workspace.json('nest-11/package.json')) as unknown as NewManifest;
    expect(manifest).not.toHaveProperty('type');
    const withLine = { ...manifest, jest: { ...manifest.jest, ...jestLine } };
    await writeFile(join(folder, 'package.json'), JSON.stringify(withLine));
    await shell(folder, 'npm test -- --ci --json --outputFile=report.json', { PORT: '0' });
    const report = await workspace.json('nest-11/report.json');
    expect(report).toMatchObject({ success: true, numPassedTests: 3, numTotalTests: 3 });
  });
});

describe('the section "First run"', () => {
  it('names each file as the commands do, and shows three answers', () => {
    expect(guide.compile).toContain(` ${guide.name} `);
    expect(guide.start).toContain(` ${basename(guide.name, '.mts')}.mjs`);
    expect(guide.calls.map(({ output }) => output[0])).toEqual([
      'HTTP/1.1 401 Unauthorized',
      'HTTP/1.1 403 Forbidden',
      'HTTP/1.1 200 OK',
    ]);
  });
});

/** Runs commands as somebody types them. @returns what they write to their standard output */
async function shell(
  cwd: string,
  commands: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const settings = { ...QUIET_NPM, ...env };
  const assignments = Object.entries(settings).map(([name, value]) => `export ${name}='${value}'`);
  return run(cwd, 'bash', '-c', `set -euo pipefail\n${assignments.join('\n')}\n${commands}`);
}

const QUIET_NPM = {
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_prefer_offline: 'true',
  npm_config_update_notifier: 'false',
};

/** The commands with the packed package in place of its name, and a version for each other name. */
async function withVersions(
  commands: string,
  { folder, packed }: Workspace,
  others: Readonly<Record<string, string>> = NEWEST,
): Promise<string> {
  const manifest = await readFile(join(root, 'package.json'), 'utf8');
  const { devDependencies } = JSON.parse(manifest) as { devDependencies: Record<string, string> };
  const versions = { ...devDependencies, ...others };
  const withVersion = (name: string): string => {
    if (name === 'nestjs-mcp-auth') return join(folder, packed.filename);
    if (versions[name] === undefined) throw new Error(`the README installs ${name}, which no test has`);
    return `'${name}@${versions[name]}'`;
  };
  return commands.replaceAll(
    /^npm install (.+)$/gm,
    (_, names: string) => `npm install ${names.split(' ').map(withVersion).join(' ')}`,
  );
}

/** Starts the server as the README says, and gives what each of its calls prints, with the port that the README has. */
async function answers(folder: string, start: string): Promise<readonly ShownCommand[]> {
  const port = String(await freePort());
  const child = spawn('bash', ['-c', start], {
    cwd: folder,
    env: { ...process.env, PORT: port },
    // The whole group is ended: npm and nest start further processes.
    detached: true,
  });
  try {
    const tokens = await printedTokens(child);
    const define = guide.define.replaceAll('127.0.0.1:3000', `127.0.0.1:${port}`);
    const outputs = await Promise.all(
      guide.calls.map(({ command }) => shell(folder, `${tokens}\n${define}\n${command}`)),
    );
    expect(outputs[1]).toContain(IN_CHALLENGE);
    return guide.calls.map(({ command }, at) => ({ command, output: shownLines(outputs[at] ?? '') }));
  } finally {
    endGroup(child);
  }
}

function endGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
}

/** The two lines that the server prints. @throws Error with all that it printed if it ends without them */
function printedTokens(child: ChildProcess): Promise<string> {
  let output = '';
  return new Promise((resolve, reject) => {
    child.stderr?.on('data', (data) => (output += String(data)));
    child.stdout?.on('data', (data) => {
      output += String(data);
      const tokens = /^READ=\S+\nWRITE=\S+$/m.exec(output)?.[0];
      if (tokens !== undefined) resolve(tokens);
    });
    child.on('exit', () => {
      reject(new Error(output));
    });
  });
}

/** The page on the reason, as an answer has it in development. The README says that it leaves it out. */
const PAGE = `${ERROR_PAGE}#insufficient_scope`;
const IN_CHALLENGE = `, error_uri="${PAGE}"`;
const IN_BODY = `,"error_uri":"${PAGE}"`;

/** What the README shows of a response: its status, its challenge and its body, without the page on the reason. */
function shownLines(output: string): readonly string[] {
  return output
    .split(/\r?\n/)
    .filter((line) => /^(HTTP\/|WWW-Authenticate:|\{)/i.test(line))
    .map((line) => line.replace(IN_CHALLENGE, '').replace(IN_BODY, ''));
}

/** The package.json of a new project, with the versions of Nest 11 that the other tests have. */
function newProject(manifest: NewManifest): object {
  const tools = Object.entries(manifest.devDependencies).filter(([name]) => TOOLS.test(name));
  return {
    ...manifest,
    dependencies: { ...manifest.dependencies, ...NEST_11 },
    devDependencies: Object.fromEntries(tools),
  };
}

/** The test of the sample, as a project with jest has it. */
async function jestSpec(): Promise<string> {
  const text = await readFile(join(root, 'test/sample/first-run.spec.ts'), 'utf8');
  return text
    .replace(/^import .* from 'vitest';\n/m, '')
    .replace(/^vi\.hoisted.*\n/m, '')
    .replace(/'[./\w-]+\/server\.js'/, "'./main'");
}
