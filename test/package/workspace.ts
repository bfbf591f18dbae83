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
    const quiet = ['--no-audit', '--no-fund', '--no-package-lock', '--ignore-scripts', '--prefer-offline'];
    await run(target, 'npm', 'install', ...quiet);
  }

  /** A JSON file of a project. */
  async json(project: string, ...path: string[]): Promise<Record<string, unknown>> {
    return JSON.parse(await readFile(this.at(project, ...path), 'utf8')) as Record<string, unknown>;
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
