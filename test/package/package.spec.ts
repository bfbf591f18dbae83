import { readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { TIMEOUT_MS, pack, type Packed, root } from './workspace.js';

interface Manifest {
  readonly main: string;
  readonly types: string;
  readonly bin: Record<string, string>;
  readonly exports: Record<string, string | Record<string, string>>;
  readonly dependencies: Record<string, string>;
  readonly peerDependencies: Record<string, string>;
}

/** What `tsc` makes of one file. */
const BUILT = ['.js', '.js.map', '.d.ts', '.d.ts.map'];

/** The sources that are no tests, from `lib/` on. */
const allSources = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.spec.ts'));

/** Nobody imports a command, so it comes without declarations, maps and sources. */
const isCommand = (path: string): boolean => path.startsWith('doctor/');
const sources = allSources.filter((path) => !isCommand(path));

const source = (path: string): Promise<string> => readFile(join(root, path), 'utf8');

describe('the packed package', () => {
  let packed: Packed;
  let files: readonly string[];

  beforeAll(async () => {
    packed = await pack('--dry-run');
    files = packed.files.map(({ path }) => path);
  }, TIMEOUT_MS);

  it('holds what is built, with the sources that its maps lead to, and papers; nothing else', () => {
    const papers = ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'package.json'];
    const code = sources.flatMap((path) => [
      `lib/${path}`,
      ...BUILT.map((ending) => `dist/${path.replace(/\.ts$/, ending)}`),
    ]);
    const command = allSources.filter(isCommand).map((path) => `dist/${path.replace(/\.ts$/, '.js')}`);
    expect(command).toContain('dist/doctor/main.js');
    expect([...files].sort()).toEqual([...papers, ...code, ...command].sort());
  });

  it('is no larger than its budget', () => {
    const { size, unpackedSize } = packed;
    console.log(`Package: ${String(size)} bytes packed, ${String(unpackedSize)} bytes unpacked`);
    expect(size).toBeLessThan(1_050_000);
    expect(unpackedSize).toBeLessThan(4_200_000);
  });

  it('names only files that it holds, and only dependencies from a registry', async () => {
    const manifest = JSON.parse(await source('package.json')) as Manifest;
    const targets = Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    );
    const named = [manifest.main, manifest.types, ...Object.values(manifest.bin), ...targets].map((path) =>
      posix.normalize(path),
    );
    expect(named.filter((path) => !files.includes(path))).toEqual([]);
    const ranges = Object.values({ ...manifest.dependencies, ...manifest.peerDependencies });
    expect(ranges.filter((range) => !/^[\^~>=\d.| ]+$/.test(range))).toEqual([]);
  });

  it('has maps that lead to sources that it holds', async () => {
    const maps = files.filter((path) => path.endsWith('.map'));
    const led = await Promise.all(
      maps.map(async (path) => {
        const map = JSON.parse(await source(path)) as { sources: string[] };
        return map.sources.map((each) => posix.join(posix.dirname(path), each));
      }),
    );
    expect(led).toHaveLength(2 * sources.length);
    expect(led.flat().filter((path) => !files.includes(path))).toEqual([]);
  });

  it('keeps in its declarations the doc comments of all that it exports', async () => {
    for (const [entry, known] of [
      ['dist/index.d.ts', 'McpAuthModule'],
      ['dist/redis/index.d.ts', 'RedisReplayStore'],
      ['dist/testing/index.d.ts', 'TestAuthorizationServer'],
    ] as const) {
      const exported = await exportsOf(entry);
      expect(exported.map(({ name }) => name)).toContain(known);
      for (const { name, path } of exported) {
        const declaration = new RegExp(
          String.raw`\*/\nexport (?:declare )?(?:abstract )?(?:class|const|function|interface|type) ${name}\b`,
        );
        expect([name, path, await source(path)]).toEqual([name, path, expect.stringMatching(declaration)]);
      }
    }
  });

  it('has no constructors of what Nest makes, nor anything internal', async () => {
    const declarations = files.filter((path) => path.endsWith('.d.ts'));
    const all = await Promise.all(declarations.map(source));
    expect(all.filter((text) => text.includes('@internal'))).toEqual([]);
    expect(await source('dist/guard/bearer-auth.guard.d.ts')).not.toMatch(/^ +constructor\(/m);
  });
});

/** The names that an entry point exports, and where each is declared. */
async function exportsOf(entry: string): Promise<{ name: string; path: string }[]> {
  const statements = (await source(entry)).matchAll(/export (?:type )?\{([^}]*)\} from '([^']+)\.js'/g);
  return [...statements].flatMap(([, names = '', from = '']) =>
    names
      .split(',')
      .map((name) => name.replace(/\btype\b/, '').trim())
      .filter((name) => name !== '')
      .map((name) => ({ name, path: `${posix.join(posix.dirname(entry), from)}.d.ts` })),
  );
}
