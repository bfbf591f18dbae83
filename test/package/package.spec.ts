import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const INSTALL_TIMEOUT_MS = 300_000;

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The applications that the package is installed into, and their Nest: the newest 11, and an older one. */
const apps = [
  { folder: 'nest11-esm', script: 'app.mjs', nest: '11.2.10' },
  { folder: 'nest11-cjs', script: 'app.cjs', nest: '11.1.29' },
] as const;

interface Answer {
  readonly status: number;
  readonly challenge: string | null;
  readonly text: string;
}

interface Answers extends Record<
  | 'withoutToken'
  | 'withToken'
  | 'withOtherAudience'
  | 'withoutScope'
  | 'withScope'
  | 'metadata'
  | 'metadataUnderPrefix',
  Answer
> {
  readonly issuer: string;
}

interface Manifest {
  readonly main: string;
  readonly types: string;
  readonly exports: Record<string, string | Record<string, string>>;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
}

let workspace: string;
let tarball: string;
let files: readonly string[];

beforeAll(async () => {
  workspace = await mkdtemp(join(tmpdir(), 'packed-'));
  if (!existsSync(join(root, 'dist/index.js'))) await npm(root, 'run', '--silent', 'build');
  const packed = await npm(root, 'pack', '--json', '--ignore-scripts', '--pack-destination', workspace);
  const [{ filename, files: entries }] = JSON.parse(packed) as [
    { filename: string; files: { path: string }[] },
  ];
  tarball = filename;
  files = entries.map(({ path }) => path);
  await cp(join(root, 'test/package/shared'), join(workspace, 'shared'), { recursive: true });
  await Promise.all(apps.map(install));
}, INSTALL_TIMEOUT_MS);

afterAll(() => rm(workspace, { recursive: true, force: true }));

async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, args, { cwd, maxBuffer: 16 * 1024 * 1024 });
  return stdout;
}

const npm = (cwd: string, ...args: string[]): Promise<string> => run(cwd, 'npm', ...args);

async function install({ folder, script, nest }: (typeof apps)[number]): Promise<void> {
  const target = join(workspace, folder);
  const manifest = {
    name: folder,
    private: true,
    dependencies: {
      '@nestjs/common': nest,
      '@nestjs/core': nest,
      '@nestjs/platform-express': nest,
      'class-transformer': '0.5.1',
      'class-validator': '0.15.1',
      jose: '6.2.17',
      'nestjs-mcp-auth': `file:../${tarball}`,
      'reflect-metadata': '0.2.2',
      rxjs: '7.8.2',
    },
  };
  await mkdir(target);
  await writeFile(join(target, 'package.json'), JSON.stringify(manifest));
  await copyFile(join(root, 'test/package', folder, script), join(target, script));
  await npm(
    target,
    'install',
    '--no-audit',
    '--no-fund',
    '--no-package-lock',
    '--ignore-scripts',
    '--prefer-offline',
  );
}

/** A file of the package as it is installed. */
const installed = (path: string): Promise<string> =>
  readFile(join(workspace, apps[0].folder, 'node_modules/nestjs-mcp-auth', path), 'utf8');

describe('the packed package', () => {
  it('holds the built entry point and its sources, and neither tests nor samples', () => {
    expect(files).toEqual(expect.arrayContaining(['dist/index.js', 'dist/index.d.ts', 'lib/index.ts']));
    expect(files.filter((path) => /\.spec\.|^(test|sample|coverage)\//.test(path))).toEqual([]);
  });

  it.each(['README.md', 'LICENSE'].filter((name) => existsSync(join(root, name))))(
    'holds %s',
    async (name) => {
      expect(await installed(name)).toBe(await readFile(join(root, name), 'utf8'));
    },
  );

  it('keeps the doc comments in its declarations', async () => {
    expect(await installed('dist/index.d.ts')).toContain("from './mcp-auth.module.js'");
    expect(await installed('dist/mcp-auth.module.d.ts')).toContain(
      'Turns a Nest application into an OAuth 2.1 resource server for the Model Context Protocol.',
    );
  });

  it('has declarations that compile by themselves, without what is internal', async () => {
    const declarations = files.filter((path) => path.endsWith('.d.ts'));
    const compiler = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', 'false', '--types', 'node'];
    const target = ['--module', 'nodenext', '--target', 'es2022', '--lib', 'es2022,dom,dom.iterable'];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    expect(await run(root, process.execPath, tsc, ...compiler, ...target, ...declarations)).toBe('');
    expect(await installed('dist/guard/bearer-auth.guard.d.ts')).not.toMatch(/^ +constructor\(/m);
  }, 120_000);

  it('names only files that it holds, and only dependencies from a registry', async () => {
    const manifest = JSON.parse(await installed('package.json')) as Manifest;
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    );
    const named = [manifest.main, manifest.types, ...targets].map((path) => posix.normalize(path));
    expect(named.filter((path) => !files.includes(path))).toEqual([]);
    const ranges = Object.values({ ...manifest.dependencies, ...manifest.peerDependencies });
    expect(ranges.filter((range) => !/^[\^~>=\d.| ]+$/.test(range))).toEqual([]);
  });

  it('has source maps that lead to sources that it holds', async () => {
    const maps = files.filter((path) => path.endsWith('.js.map'));
    const sources = await Promise.all(
      maps.map(async (path) => {
        const map = JSON.parse(await installed(path)) as { sources: string[] };
        return map.sources.map((source) => posix.join(posix.dirname(path), source));
      }),
    );
    expect(maps.length).toBeGreaterThan(0);
    expect(sources.flat().filter((path) => !files.includes(path))).toEqual([]);
  });
});

describe.each(apps)('installed in $folder with Nest $nest', ({ folder, script, nest }) => {
  const metadataUrl = 'https://api.example.com/.well-known/oauth-protected-resource/api/notes';
  let answers: Answers;

  beforeAll(async () => {
    const output = await run(join(workspace, folder), process.execPath, script);
    expect(output.trim().split('\n')).toHaveLength(1);
    answers = JSON.parse(output) as Answers;
  });

  it('runs on that Nest, and on one copy of it', async () => {
    const modules = join(workspace, folder, 'node_modules');
    const { version } = JSON.parse(await readFile(join(modules, '@nestjs/core/package.json'), 'utf8')) as {
      version: string;
    };
    expect(version).toBe(nest);
    expect(existsSync(join(modules, 'nestjs-mcp-auth/node_modules/@nestjs'))).toBe(false);
  });

  it('answers 401 and a challenge without an error code when no token is sent', () => {
    expect(answers.withoutToken).toMatchObject({
      status: 401,
      challenge: `Bearer scope="notes:read", resource_metadata="${metadataUrl}"`,
    });
  });

  it('admits a good token and hands the caller to the handler', () => {
    expect(answers.withToken).toEqual({ status: 200, challenge: null, text: 'notes of u1' });
  });

  it('answers 401 invalid_token to a token for another audience', () => {
    expect(answers.withOtherAudience).toMatchObject({
      status: 401,
      challenge: `Bearer error="invalid_token", scope="notes:read", resource_metadata="${metadataUrl}", error_description="The access token is invalid or expired"`,
    });
  });

  it('answers 403 insufficient_scope where a route needs more, and admits the token that has it', () => {
    expect(answers.withoutScope.status).toBe(403);
    expect(answers.withoutScope.challenge).toBe(
      `Bearer error="insufficient_scope", scope="notes:read notes:admin", resource_metadata="${metadataUrl}", error_description="The access token does not grant what this operation needs"`,
    );
    expect(answers.withScope).toEqual({ status: 200, challenge: null, text: 'purged' });
  });

  it('serves the RFC 9728 document at the root of the origin, whatever the global prefix', () => {
    expect(answers.metadata.status).toBe(200);
    expect(JSON.parse(answers.metadata.text)).toEqual({
      resource: 'https://api.example.com/api/notes',
      authorization_servers: [answers.issuer],
      scopes_supported: ['notes:read', 'notes:admin'],
      bearer_methods_supported: ['header'],
    });
    expect(answers.metadataUnderPrefix.status).toBe(404);
  });
});
