import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifies } from '../verifies.js';
import { type NewManifest, root, run, TIMEOUT_MS, Workspace } from './workspace.js';

/** Of the newest Nest 11. */
const SCHEMATICS = '11.1.0';

const CLIENTS = ['npm', 'pnpm'] as const;

/** The tools of a new project that its tests need; the rest of them only makes the installation longer. */
const TEST_TOOLS = /^(@nestjs\/testing|@types\/(express|jest|node)|jest|ts-jest|typescript)$/;

/** What a user of @swc/jest writes in place of "ts-jest". */
const SWC = [
  '@swc/jest',
  {
    jsc: {
      parser: { syntax: 'typescript', decorators: true },
      transform: { legacyDecorator: true, decoratorMetadata: true },
    },
  },
];

const TRANSFORMS = { 'ts-jest': 'ts-jest', '@swc/jest': SWC } as const;

/** The line that docs/guides/testing.md gives. */
const line = JSON.parse(await readFile(join(root, 'test/package/jest-options.json'), 'utf8')) as object;

/** An example of docs/guides/testing.md as a project without vitest has it. */
async function example(name: string): Promise<string> {
  const text = await readFile(join(root, 'test/docs', name), 'utf8');
  return text.replace(/^import .* from 'vitest';\n/m, '').replace(/from '(\.\/[\w-]+)\.js'/g, "from '$1'");
}

const count = (await example('testing-examples.spec.ts')).match(/^ +it\(/gm)?.length;

const ALL_PASSED = { success: true, numPassedTests: count, numTotalTests: count };

describe.concurrent('a new project of Nest 11', { timeout: TIMEOUT_MS }, () => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await Workspace.make();
    await Promise.all(
      CLIENTS.map(async (client) => {
        await workspace.installNew(client, SCHEMATICS, client, (manifest) =>
          withPackage(manifest, workspace),
        );
        for (const folder of ['src', 'test']) {
          const ending = folder === 'src' ? 'spec.ts' : 'e2e-spec.ts';
          await mkdir(workspace.at(client, folder), { recursive: true });
          const to = (name: string): string => workspace.at(client, folder, name);
          await writeFile(to('testing-examples.ts'), await example('testing-examples.ts'));
          await writeFile(to(`testing-examples.${ending}`), await example('testing-examples.spec.ts'));
        }
      }),
    );
  }, TIMEOUT_MS);

  afterAll(() => workspace.remove(), TIMEOUT_MS);

  /** What jest writes, with an option of its configuration changed. */
  async function jest(client: string, config: object): Promise<string> {
    const options = ['--ci', '--silent', '--json', '--testTimeout=30000', '--config', JSON.stringify(config)];
    return run(workspace.at(client), process.execPath, 'node_modules/jest/bin/jest.js', ...options);
  }

  async function unitConfig(client: string, more: object): Promise<object> {
    const { jest: config } = (await workspace.json(client, 'package.json')) as unknown as NewManifest;
    return {
      ...config,
      rootDir: workspace.at(client, 'src'),
      testRegex: 'testing-examples.spec.ts$',
      ...more,
    };
  }

  async function e2eConfig(client: string, more: object): Promise<object> {
    const config = await workspace.json(client, 'test/jest-e2e.json');
    return {
      ...config,
      rootDir: workspace.at(client, 'test'),
      testRegex: 'testing-examples.e2e-spec.ts$',
      ...more,
    };
  }

  it('has CommonJS, jest and ts-jest', async () => {
    const manifest = await workspace.json('npm', 'package.json');
    expect(manifest).not.toHaveProperty('type');
    expect(manifest['jest']).toMatchObject({ transform: { '^.+\\.(t|j)s$': 'ts-jest' } });
  });

  describe.concurrent.each(CLIENTS)('installed by %s', (client) => {
    describe.concurrent.each(Object.entries(TRANSFORMS))('with %s', (_, transform) => {
      verifies('WAY-20', 'passes the tests of docs/guides/testing.md, with one more line', async () => {
        const more = { ...line, transform: { '^.+\\.(t|j)s$': transform } };
        const report: unknown = JSON.parse(await jest(client, await unitConfig(client, more)));
        expect(report).toMatchObject(ALL_PASSED);
      });
    });
  });

  verifies('WAY-20', 'passes them by its other configuration, with the same line', async () => {
    const report: unknown = JSON.parse(await jest('npm', await e2eConfig('npm', line)));
    expect(report).toMatchObject(ALL_PASSED);
  });

  it('needs that line', async () => {
    await expect(jest('npm', await unitConfig('npm', {}))).rejects.toThrow(
      'Must use import to load ES Module',
    );
  });

  it('needs all of it when pnpm installed it', async () => {
    const short = { transformIgnorePatterns: ['node_modules/(?!(nestjs-mcp-auth|jose|oauth4webapi)/)'] };
    await expect(jest('pnpm', await unitConfig('pnpm', short))).rejects.toThrow(
      'Must use import to load ES Module',
    );
  });

  verifies(
    'WAY-20',
    'finds the types of both entry points with node10, as templates of older Nest have it',
    async () => {
      const imports =
        "import 'nestjs-mcp-auth';\nimport { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';\n";
      await writeFile(
        workspace.at('npm', 'entries.ts'),
        `${imports}export const issuer: (as: TestAuthorizationServer) => string = (as) => as.issuer;\n`,
      );
      const tsc = workspace.at('npm', 'node_modules/typescript/bin/tsc');
      const options = [
        '--module',
        'commonjs',
        '--moduleResolution',
        'node10',
        '--target',
        'es2022',
        '--strict',
      ];
      const output = await run(
        workspace.at('npm'),
        process.execPath,
        tsc,
        '--noEmit',
        ...options,
        'entries.ts',
      );
      expect(output).toBe('');
    },
  );
});

/** The package.json of the project with what its user adds, without the tools that its tests do not need. */
function withPackage(manifest: NewManifest, { packed }: Workspace): object {
  const tools = Object.entries(manifest.devDependencies).filter(([name]) => TEST_TOOLS.test(name));
  return {
    ...manifest,
    dependencies: {
      ...manifest.dependencies,
      'class-transformer': '0.5.1',
      'class-validator': '0.15.1',
      'nestjs-mcp-auth': `file:../${packed.filename}`,
    },
    devDependencies: { ...Object.fromEntries(tools), '@swc/core': '1.16.22', '@swc/jest': '0.2.39' },
  };
}
