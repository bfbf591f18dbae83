import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { anchors } from '../docs/links.js';

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
   * How a thing is kept. See {@link McpAuthModuleOptions.mode}, {@link CacheOptions.mode} and {@link Elsewhere}.
   *
   * - false: not at all
   *
   * @defaultValue see {@link CacheOptions}
   * @since 0.2.0
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

  /** Stricter than {@link Mode}. */
  readonly mode?: Mode;
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

function putExamples(text: string): void {
  mkdirSync(join(root, 'test/docs'), { recursive: true });
  writeFileSync(join(root, 'test/docs/option-examples.ts'), text);
}

const get = (): string => readFileSync(join(root, 'docs/reference/options.md'), 'utf8');

/** The section of an option: what stands below its heading, up to the next one. */
function section(group: string, option: string): string {
  const [, inGroup = ''] = get().split(`\n## ${group}\n`);
  const [, text = ''] = inGroup.split(/\n## /)[0]!.split(`\n### ${option}\n`);
  return text.split('\n### ')[0]!.trim();
}

function run(...args: string[]): { status: number | null; problems: string[] } {
  const { status, stderr } = spawnSync(process.execPath, [TOOL, ...args, root], { encoding: 'utf8' });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}

// Each run is a process that loads the compiler and prettier.
describe('sync-options', { timeout: 120_000 }, () => {
  it('writes type, unit, range, default, version, meaning and source of each option', () => {
    expect(run()).toEqual({ status: 0, problems: [] });
    expect(section('McpAuthModuleOptions', 'name')).toBe(
      '- Type: `string`\n- Required\n- Since: 0.1.0\n\nWhat is protected.',
    );
    expect(section('McpAuthModuleOptions', 'timeoutSeconds')).toBe(
      '- Type: `number`\n- Unit: seconds\n- Range: 1 to 60\n- Default: `5`\n- Since: 0.1.0\n\n' +
        'How long it may take. Then it is over.\n\nSee [Standard, section 2](https://example.com/a#b).',
    );
    expect(section('CacheOptions', 'maxEntries')).toContain('- Default: none\n');
    expect(section('Base', 'kind')).toContain("- Type: `'x' | 'y'`\n- Default: `'x'`\n");
  });

  it('writes the version of @since, links to other sections, and lists', () => {
    run();
    expect(section('McpAuthModuleOptions', 'cache')).toBe(
      '- Type: `false | CacheOptions`\n- Default: see [`CacheOptions`](#cacheoptions)\n- Since: 0.2.0\n\n' +
        'How a thing is kept. See [`McpAuthModuleOptions.mode`](#mode), [`CacheOptions.mode`](#mode-1) and `Elsewhere`.\n\n' +
        '- false: not at all',
    );
  });

  it('gives headings of one name an anchor each, as git hosts do', () => {
    run();
    expect(section('CacheOptions', 'mode')).toContain('Stricter than [`Mode`](#mode-2).');
    expect([...anchors(get())]).toEqual(expect.arrayContaining(['mode', 'mode-1', 'mode-2']));
  });

  it('shows the example of an option, which sync-snippets finds correct', () => {
    const example = 'McpAuthModuleOptions.timeoutSeconds';
    putExamples(`const a = {\n  //#region ${example}\n  timeoutSeconds: 3,\n  //#endregion ${example}\n};\n`);
    expect(run()).toEqual({ status: 0, problems: [] });
    expect(section('McpAuthModuleOptions', 'timeoutSeconds')).toContain(
      `\n\n\`\`\`ts source="test/docs/option-examples.ts#${example}"\ntimeoutSeconds: 3,\n\`\`\``,
    );
    const snippets = fileURLToPath(new URL('./sync-snippets.mjs', import.meta.url));
    expect(spawnSync(process.execPath, [snippets, '--check', root]).status).toBe(0);
  });

  it('rejects an example of an option that does not exist, and one that does not end', () => {
    putExamples('//#region CacheOptions.none\n//#endregion CacheOptions.none\n//#region Base.kind\n');
    expect(run()).toEqual({
      status: 1,
      problems: [
        'test/docs/option-examples.ts has no region Base.kind, or none that ends',
        'test/docs/option-examples.ts has an example of CacheOptions.none, which is no option',
      ],
    });
  });

  it('has the interfaces that members name, with what they extend, and not those of functions', () => {
    run();
    const headings = ['## McpAuthModuleOptions', '## CacheOptions', '## Base', '## Types'];
    expect(get().match(/^## .*$/gm)).toEqual(headings);
    expect(get()).toContain('It also has the members of [`Base`](#base).');
  });

  it('reads classes like interfaces, whatever decorators and initializers say', () => {
    put(
      OPTIONS.replace('export interface CacheOptions', 'export class CacheOptions').replace(
        'readonly maxEntries?: number;',
        '@Check((value: Query) => value)\n  readonly maxEntries?: number = 5;',
      ),
    );
    run();
    expect(section('CacheOptions', 'maxEntries')).toBe(
      '- Type: `number`\n- Default: none\n- Since: 0.1.0\n\nHow many.',
    );
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

  it('says with --check that the page differs, and leaves it', () => {
    expect(run('--check')).toEqual({
      status: 1,
      problems: ['docs/reference/options.md: run node test/tools/sync-options.mjs'],
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
