import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Where the package's own package.json is. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** For what installs from a registry, or starts many processes at once on a machine that has other things to do. */
export const TIMEOUT_MS = 300_000;

/** What `npm pack` says of the package. */
export interface Packed {
  readonly filename: string;
  /** Unit: bytes. */
  readonly size: number;
  /** Unit: bytes. */
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string; readonly size: number }[];
}

/** What a process writes to its standard output. @throws where it does not exit with 0 */
export async function run(cwd: string, command: string, ...args: string[]): Promise<string> {
  try {
    return (await promisify(execFile)(command, args, { cwd, maxBuffer: 16 * 1024 * 1024 })).stdout;
  } catch (error) {
    // Compilers write there what is wrong.
    throw new Error(`${String(error)}\n${(error as { stdout?: string }).stdout ?? ''}`, { cause: error });
  }
}

/** Packs what is built, and builds it where nothing is. */
export async function pack(...args: string[]): Promise<Packed> {
  if (!existsSync(join(root, 'dist/index.js'))) await run(root, 'npm', 'run', '--silent', 'build');
  const output = await run(root, 'npm', 'pack', '--json', '--ignore-scripts', ...args);
  const [packed] = JSON.parse(output) as [Packed];
  return packed;
}

/** What the tests look at in the package.json of a new Nest project. */
export interface NewManifest {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly jest: { readonly rootDir: string; readonly transform: object };
}

const QUIET = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--prefer-offline'];

/** How each client installs the project in a folder. */
const CLIENTS = {
  npm: ['npm', 'install', ...QUIET],
  pnpm: ['npx', '--yes', 'pnpm@10.34.9', 'install', '--ignore-scripts', '--prefer-offline'],
} as const;

/** A folder of projects that the packed package is installed into. */
export class Workspace {
  private constructor(
    readonly folder: string,
    readonly packed: Packed,
  ) {}

  static async make(): Promise<Workspace> {
    const folder = await mkdtemp(join(tmpdir(), 'packed-'));
    return new Workspace(folder, await pack('--pack-destination', folder));
  }

  /** A path in a project. */
  at(project: string, ...path: string[]): string {
    return join(this.folder, project, ...path);
  }

  /** Installs a project, whose files are those of `consumer/`. */
  async install(project: string, dependencies: Readonly<Record<string, string>>): Promise<void> {
    const target = this.at(project);
    await mkdir(target);
    await cp(join(root, 'test/package/consumer'), target, { recursive: true });
    await writeFile(join(target, 'package.json'), JSON.stringify({ private: true, dependencies }));
    await run(target, 'npm', 'install', ...QUIET);
  }

  /**
   * Installs the project that `nest new` of a version of Nest's CLI makes, from the files that it makes it of.
   *
   * @param schematics - the version of `@nestjs/schematics`
   * @param change - what its user changes in its package.json
   */
  async installNew(
    project: string,
    schematics: string,
    client: keyof typeof CLIENTS,
    change: (manifest: NewManifest) => object,
  ): Promise<void> {
    const target = this.at(project);
    await mkdir(target);
    const name = `@nestjs/schematics@${schematics}`;
    const [{ filename }] = JSON.parse(await run(target, 'npm', 'pack', '--json', name)) as [Packed];
    await run(
      target,
      'tar',
      '-xzf',
      filename,
      '--strip-components=6',
      `package/dist/lib/application/files/ts`,
    );
    for (const file of ['package.json', 'tsconfig.json', 'test/jest-e2e.json']) {
      const template = await readFile(join(target, file), 'utf8');
      await writeFile(
        join(target, file),
        template
          .replace('<%= version %>', '0.0.1')
          .replace(/<%= strict %>/g, 'true')
          .replace(/<%= \w+ %>/g, 'project'),
      );
    }
    const manifest = JSON.parse(await readFile(join(target, 'package.json'), 'utf8')) as NewManifest;
    await writeFile(join(target, 'package.json'), JSON.stringify(change(manifest)));
    const [command, ...args] = CLIENTS[client];
    await run(target, command, ...args);
  }

  /** A JSON file of a project. */
  async json(project: string, ...path: string[]): Promise<Record<string, unknown>> {
    return JSON.parse(await readFile(this.at(project, ...path), 'utf8')) as Record<string, unknown>;
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
