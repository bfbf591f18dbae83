import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const TOOL = fileURLToPath(new URL('./sync-options.mjs', import.meta.url));

const OPTIONS = `
/** Options of {@link McpAuthModule}. */
export interface McpAuthModuleOptions {
  /** What is protected. */
  readonly name: string;

  /**
   * How long it may take. Unit: seconds. Range: 1 to 60. Then it is over.
   *
   * @defaultValue 5
   * @see {@link https://example.com/a#b | Standard, section 2}
   */
  readonly timeoutSeconds?: number;

  /**
   * How a thing is kept, for as long as it takes. There is more to be said of it than a row of the table can hold: this is
   * longer than a hundred and twenty characters, which is where the line is drawn.
   *
   * @defaultValue see {@link CacheOptions}
   */
  readonly cache?: false | CacheOptions;

  /** How strict it is. */
  readonly mode?: Mode;

  /** Asked. @defaultValue none */
  readonly ask?: (query: Query) => boolean;
}

/** How things are kept. */
export interface CacheOptions extends Base {
  /** How many. */
  readonly maxEntries?: number;
}

/** What can be said of all. */
export interface Base {
  /** In all cases. @defaultValue 'x' */
  readonly kind?: 'x' | 'y';
}

/**
 * How strict something is.
 *
 * - hard: always
 * - soft: at times
 */
export type Mode = 'hard' | 'soft';

/** What a function is asked: no option. */
export interface Query {
  readonly issuer: string;
}
`;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sync-options-spec-'));
  mkdirSync(join(root, 'lib/options'), { recursive: true });
  put(OPTIONS);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function put(text: string): void {
  writeFileSync(join(root, 'lib/options/some-options.ts'), text);
}

const get = (): string => readFileSync(join(root, 'OPTIONS.md'), 'utf8');

/** The rows of all tables, by the text of their first cell. */
const rows = (): Map<string, string[]> =>
  new Map(
    get()
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
      .map(([, first = '', ...cells]) => [first, cells.slice(0, -1)]),
  );

function run(...args: string[]): { status: number | null; problems: string[] } {
  const { status, stderr } = spawnSync(process.execPath, [TOOL, ...args, root], { encoding: 'utf8' });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}

describe('sync-options', () => {
  it('writes name, type, unit, range, default, meaning and source of each option', () => {
    expect(run()).toEqual({ status: 0, problems: [] });
    expect(rows().get('`name`')).toEqual(['`string`', '**required**', 'What is protected.', '']);
    expect(rows().get('`timeoutSeconds`')).toEqual([
      '`number`, seconds, 1 to 60',
      '5',
      'How long it may take. Then it is over.',
      '[Standard, section 2](https://example.com/a#b)',
    ]);
    expect(rows().get('`maxEntries`')).toEqual(['`number`', 'none', 'How many.', '']);
    expect(rows().get('`kind`')?.[0]).toBe("`'x' \\| 'y'`");
  });

  it('puts what is too long for a row below the table, with a link', () => {
    run();
    expect(rows().get('[`cache`](#cache)')).toEqual([
      '`false \\| CacheOptions`',
      'see [`CacheOptions`](#cacheoptions)',
      'How a thing is kept, for as long as it takes.',
      '',
    ]);
    expect(get()).toMatch(/\n### cache\n\nThere is more to be said/);
  });

  it('has the interfaces that members name, with what they extend, and not those of functions', () => {
    run();
    const headings = ['## McpAuthModuleOptions', '## CacheOptions', '## Base', '## Types'];
    expect(get().match(/^## .*$/gm)).toEqual(headings);
    expect(get()).toContain('It has the members of [`Base`](#base) too.');
  });

  it('reads classes like interfaces, whatever decorators and initializers say', () => {
    put(
      OPTIONS.replace('export interface CacheOptions', 'export class CacheOptions').replace(
        'readonly maxEntries?: number;',
        '@Check((value: Query) => value)\n  readonly maxEntries?: number = 5;',
      ),
    );
    run();
    expect(rows().get('`maxEntries`')).toEqual(['`number`', 'none', 'How many.', '']);
    expect(get().match(/^## .*$/gm)).toEqual([
      '## McpAuthModuleOptions',
      '## CacheOptions',
      '## Base',
      '## Types',
    ]);
  });

  it('explains the types that members name', () => {
    run();
    expect(get()).toContain(
      "### Mode\n\n`'hard' | 'soft'`\n\nHow strict something is.\n\n- hard: always\n- soft: at times\n",
    );
  });

  it('gives options of one name that are explained in two places an anchor each, as GitHub does', () => {
    put(
      OPTIONS.replace(
        '/** How many. */\n  readonly maxEntries',
        `/** ${'Said. '.repeat(30)} */\n  readonly cache`,
      ),
    );
    run();
    expect(get().match(/\]\(#cache(-\d)?\)/g)).toEqual(['](#cache)', '](#cache-1)']);
  });

  it('says with --check that the page differs, and leaves it', () => {
    expect(run('--check')).toEqual({
      status: 1,
      problems: ['OPTIONS.md: run node test/tools/sync-options.mjs'],
    });
    run();
    expect(run('--check')).toEqual({ status: 0, problems: [] });
    const before = get();
    put(OPTIONS.replace('@defaultValue 5', '@defaultValue 6'));
    expect(run('--check').status).toBe(1);
    expect(get()).toBe(before);
  });

  it('names an option without a comment, and writes nothing', () => {
    put(OPTIONS.replace('/** How many. */', ''));
    expect(run()).toEqual({ status: 1, problems: ['CacheOptions.maxEntries has no doc comment'] });
    expect(get).toThrow();
  });
});
