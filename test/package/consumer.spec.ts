import { existsSync, readdirSync, statSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TIMEOUT_MS, run, Workspace } from './workspace.js';

/** The first that the package takes, the last of that line, and the one that it is developed with. */
const NEST = ['11.2.8', '11.2.10', '12.5.1'] as const;

/** The first of each line that `engines` allows, where there is one, and the last. */
const NODE = ['20.19.0', '22.12.0', '24.21.0'] as const;

const COMPILERS = ['5.8.3', '5.9.3', '6.0.3', '7.0.2'] as const;

/** Loads and boots the same application, as ESM and as CommonJS. */
const SCRIPTS = ['app.mjs', 'app.cjs'] as const;

/** What an installation adds that has Nest already. Unit: bytes. */
const INSTALLED_BYTES = 4_800_000;

/** What an application takes longer to load that has Nest already, on a machine of CI. Unit: milliseconds. */
const IMPORT_MS = 300;

const platform = `${process.platform}-${process.arch}`;

/** The name that a project has a tool under, as it has several of each. */
const alias = (tool: string, version: string): string => `${tool}-${version}`;

const aliases = (tool: string, packageName: string, versions: readonly string[]): Record<string, string> =>
  Object.fromEntries(versions.map((version) => [alias(tool, version), `npm:${packageName}@${version}`]));

describe('the packed package, installed', () => {
  let workspace: Workspace;

  beforeAll(async () => {
    workspace = await Workspace.make();
    const tools = {
      ...aliases('node', `node-${platform}`, NODE),
      ...aliases('typescript', 'typescript', COMPILERS),
    };
    await Promise.all([
      workspace.install('tools', tools),
      ...NEST.map(async (nest) => {
        await workspace.install(nest, dependenciesOn(nest, workspace.packed.filename));
        await copyFile(workspace.at(nest, 'types.mts'), workspace.at(nest, 'types.cts'));
      }),
    ]);
  }, TIMEOUT_MS);

  afterAll(() => workspace.remove(), TIMEOUT_MS);

  const tool = (name: string, version: string): string =>
    workspace.at('tools', 'node_modules', alias(name, version), 'bin');

  it.each(NEST)('is there once, and adds no second copy of Nest %s', async (nest) => {
    const { version } = await workspace.json(nest, 'node_modules/@nestjs/core/package.json');
    expect(version).toBe(nest);
    expect(existsSync(workspace.at(nest, 'node_modules/nestjs-mcp-auth/node_modules'))).toBe(false);
  });

  it('has a command that npx finds and a shell runs', async () => {
    const { version } = await workspace.json(NEST[0], 'node_modules/nestjs-mcp-auth/package.json');
    const output = await run(workspace.at(NEST[0]), 'npx', '--no-install', 'nestjs-mcp-auth', '--version');
    expect(output).toBe(`${String(version)}\n`);
  });

  describe.concurrent.each(cells(NEST, NODE, SCRIPTS))(
    'with Nest %s on Node %s, by %s',
    (nest, node, script) => {
      it(
        'answers as it should',
        async () => {
          const output = await run(workspace.at(nest), join(tool('node', node), 'node'), script);
          expect(output.trim().split('\n')).toHaveLength(1);
          const { issuer, ...answers } = JSON.parse(output) as { issuer: string };
          expect(answers).toEqual(expectedAnswers(`v${node}`, issuer));
        },
        TIMEOUT_MS,
      );
    },
  );

  describe.concurrent.each([...cells(COMPILERS, ['12.5.1']), ...cells(['5.8.3'], ['11.2.8'])])(
    'under TypeScript %s with Nest %s',
    (typescript, nest) => {
      it(
        'has declarations that compile whole, from ESM and from CommonJS',
        async () => {
          const compile = (...args: string[]): Promise<string> =>
            run(workspace.at(nest), process.execPath, join(tool('typescript', typescript), 'tsc'), ...args);
          expect(await compile('--version')).toBe(`Version ${typescript}\n`);
          expect(await compile('-p', 'tsconfig.types.json')).toBe('');
        },
        TIMEOUT_MS,
      );
    },
  );

  it('adds itself and its two dependencies to Nest, within the budget', async () => {
    const dependenciesOf = async (name: string): Promise<string[]> => {
      const { dependencies } = await workspace.json('12.5.1', 'node_modules', name, 'package.json');
      return Object.keys(dependencies ?? {});
    };
    const dependencies = await dependenciesOf('nestjs-mcp-auth');
    expect(dependencies).toEqual(['jose', 'oauth4webapi']);
    expect((await Promise.all(dependencies.map(dependenciesOf))).flat()).toEqual([]);
    const added = ['nestjs-mcp-auth', ...dependencies].map((name) => ({
      name,
      bytes: bytesIn(workspace.at('12.5.1', 'node_modules', name)),
    }));
    const sum = added.reduce((total, { bytes }) => total + bytes, 0);
    console.log(`Installed: ${added.map(({ name, bytes }) => `${name} ${String(bytes)} bytes`).join(', ')}`);
    console.log(`Installed beside its peers: ${String(sum)} bytes`);
    expect(sum).toBeLessThan(INSTALLED_BYTES);
  });

  // Last, when nothing else runs here.
  it(
    'is loaded within the budget',
    async () => {
      const runs: Record<string, number>[] = [];
      const least = (step: string): number => Math.min(...runs.map((times) => times[step] ?? NaN));
      const isWithin = (): boolean => least('dependencies') + least('package') < IMPORT_MS;
      // The least of several: other tests use the processor too.
      do {
        const output = await run(workspace.at('12.5.1'), process.execPath, 'import-time.mjs');
        runs.push(JSON.parse(output) as Record<string, number>);
      } while (runs.length < 5 || (runs.length < 30 && !isWithin()));
      const steps = Object.keys(runs[0] ?? {});
      console.log(`Import: ${steps.map((step) => `${step} ${least(step).toFixed(0)} ms`).join(', ')}`);
      expect(least('dependencies') + least('package')).toBeLessThan(IMPORT_MS);
    },
    TIMEOUT_MS,
  );
});

/** What a project of users has, and nothing of what is optional. */
function dependenciesOn(nest: string, tarball: string): Record<string, string> {
  return {
    '@nestjs/common': nest,
    '@nestjs/core': nest,
    '@nestjs/platform-express': nest,
    '@types/node': '20.19.43',
    'class-transformer': '0.5.1',
    'class-validator': '0.15.1',
    'nestjs-mcp-auth': `file:../${tarball}`,
    'reflect-metadata': '0.2.2',
    rxjs: '7.8.2',
  };
}

/** Every combination. */
function cells<Rows extends readonly (readonly string[])[]>(
  ...[first, ...rest]: Rows
): { [At in keyof Rows]: Rows[At][number] }[] {
  const further = rest.length > 0 ? cells(...rest) : [[]];
  return (first ?? []).flatMap((each) => further.map((others) => [each, ...others])) as never;
}

function bytesIn(folder: string): number {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((path) => statSync(join(folder, path)))
    .reduce((total, each) => total + (each.isFile() ? each.size : 0), 0);
}

/** What `consumer/run.cjs` prints on any Node and any Nest. */
function expectedAnswers(node: string, issuer: string): object {
  const metadataUrl = 'https://api.example.com/.well-known/oauth-protected-resource/api/notes';
  const rejected = (status: number, parameters: string, error: string, description: string) => ({
    status,
    challenge: `Bearer ${parameters}`,
    text: JSON.stringify({ error, error_description: description }),
  });
  const saying = (error: string, scope: string, description: string): [string, string, string] => [
    `error="${error}", scope="${scope}", resource_metadata="${metadataUrl}", error_description="${description}"`,
    error,
    description,
  ];
  return {
    node,
    withoutToken: rejected(
      401,
      `scope="notes:read", resource_metadata="${metadataUrl}"`,
      'missing_token',
      'Send an access token: Authorization: Bearer TOKEN',
    ),
    withToken: { status: 200, challenge: null, text: 'notes of u1' },
    withOtherAudience: rejected(
      401,
      ...saying('invalid_token', 'notes:read', 'The access token is invalid or expired'),
    ),
    withoutScope: rejected(
      403,
      ...saying(
        'insufficient_scope',
        'notes:read notes:admin',
        'The access token does not grant what this operation needs',
      ),
    ),
    withScope: { status: 200, challenge: null, text: 'purged' },
    metadata: {
      status: 200,
      challenge: null,
      text: JSON.stringify({
        resource: 'https://api.example.com/api/notes',
        authorization_servers: [issuer],
        scopes_supported: ['notes:read', 'notes:admin'],
        bearer_methods_supported: ['header'],
      }),
    },
    metadataUnderPrefix: { status: 404, challenge: null, text: expect.stringContaining('Not Found') },
  };
}
