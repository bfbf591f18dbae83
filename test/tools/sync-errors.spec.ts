import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DISCOVERY_FAILURE_REFERENCE, ERROR_CODE_REFERENCE, REJECTION_REFERENCE } from './error-reference.js';

const TOOL = fileURLToPath(new URL('./sync-errors.mjs', import.meta.url));
const PAGE = 'docs/reference/errors.md';
const NAMES = ['ERROR_CODE_REFERENCE', 'REJECTION_REFERENCE', 'DISCOVERY_FAILURE_REFERENCE'];

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sync-errors-spec-'));
  mkdirSync(join(root, 'docs/reference'), { recursive: true });
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

const put = (text: string): void => {
  writeFileSync(join(root, PAGE), text);
};
const get = (): string => readFileSync(join(root, PAGE), 'utf8');
const sections = (names: readonly string[]): string =>
  names.map((name) => `Before\n\n<!-- errors: ${name} -->\n<!-- /errors -->\n\nAfter\n`).join('\n');

function run(...args: string[]): { status: number | null; problems: string[] } {
  const { status, stderr } = spawnSync(process.execPath, [TOOL, ...args, root], { encoding: 'utf8' });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}

// Each run is a process that loads the compiler and prettier.
describe('sync-errors', { timeout: 120_000 }, () => {
  it('fills in every entry with its status, meaning and fix, and is content with it afterwards', () => {
    put(sections(NAMES));
    expect(run()).toEqual({ status: 0, problems: [] });
    const paragraphs = get()
      .split('\n\n')
      .map((paragraph) => paragraph.replaceAll(/\s+/g, ' ').trim());
    for (const [name, { statuses, meaning, fix }] of [
      ...Object.entries(ERROR_CODE_REFERENCE),
      ...Object.entries(REJECTION_REFERENCE),
      ...Object.entries(DISCOVERY_FAILURE_REFERENCE),
    ]) {
      const status = statuses.length > 0 ? `HTTP status: ${statuses.join(', ')}` : 'No HTTP status';
      const facts = `- ${status} - Meaning: ${meaning} - Fix: ${fix}`;
      const at = paragraphs.indexOf(facts);
      expect([at > 0, paragraphs[at - 1]]).toEqual([true, expect.stringContaining(`### ${name}`)]);
    }
    expect(get().match(/^(Before|After)$/gm)).toHaveLength(6);
    expect(run('--check')).toEqual({ status: 0, problems: [] });
  });

  it('says with --check that a section differs, and leaves it', () => {
    put(sections(NAMES));
    run();
    const changed = get().replace('HTTP status: 401', 'HTTP status: 400');
    put(changed);
    expect(run('--check')).toEqual({
      status: 1,
      problems: ['docs/reference/errors.md: run node test/tools/sync-errors.mjs'],
    });
    expect(get()).toBe(changed);
  });

  it('says which constant has no place', () => {
    put(sections(NAMES.slice(1)));
    expect(run()).toEqual({ status: 1, problems: [`${PAGE} has no place for "ERROR_CODE_REFERENCE"`] });
  });
});
