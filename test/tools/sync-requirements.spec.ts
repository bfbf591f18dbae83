import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const TOOL = fileURLToPath(new URL('./sync-requirements.mjs', import.meta.url));
const PAGE = 'docs/reference/requirements.md';

const REQUIREMENTS = `
export const requirements = {
  F02: { source: 'design', behaviour: 'two' },
  'PRM-10': { source: 'RFC 9728 3', behaviour: 'ten' },
  'PRM-2': { source: 'RFC 9728 2', behaviour: 'the member signed_metadata' },
  'POP-01': { source: 'RFC 9449', behaviour: 'proofs are verified', deferred: 'DPoP is not offered' },
} as const;
`;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sync-requirements-spec-'));
  mkdirSync(join(root, 'test'));
  put(REQUIREMENTS);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function put(text: string): void {
  writeFileSync(join(root, 'test/requirements.ts'), text);
}

const get = (): string => readFileSync(join(root, PAGE), 'utf8');

function run(...args: string[]): { status: number | null; problems: string[] } {
  const { status, stderr } = spawnSync(process.execPath, [TOOL, ...args, root], { encoding: 'utf8' });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}

// Each run is a process that loads the compiler and prettier.
describe('sync-requirements', { timeout: 120_000 }, () => {
  it('lists each requirement in its family, in the order of the numbers', () => {
    expect(run()).toEqual({ status: 0, problems: [] });
    expect(get()).toContain('4 requirements: 3 tested, 1 deferred.');
    expect(get().slice(get().indexOf('\n## '))).toBe(
      '\n## Protected resource metadata\n\n' +
        '- **PRM-2**: the member signed\\_metadata (RFC 9728 2)\n- **PRM-10**: ten (RFC 9728 3)\n\n' +
        '## Proof of possession\n\n' +
        '- **POP-01**: proofs are verified (RFC 9449). Deferred: DPoP is not offered\n\n' +
        '## Features\n\n- **F02**: two (design)\n',
    );
    expect(run('--check')).toEqual({ status: 0, problems: [] });
  });

  it('says with --check that the page differs, and leaves it', () => {
    run();
    const before = get();
    put(REQUIREMENTS.replace("'ten'", "'eleven'"));
    const problems = [`${PAGE}: run node test/tools/sync-requirements.mjs`];
    expect(run('--check')).toEqual({ status: 1, problems });
    expect(get()).toBe(before);
  });

  it('names a requirement whose family has no title, and writes nothing', () => {
    put(REQUIREMENTS.replace('F02', 'XYZ02'));
    expect(run()).toEqual({
      status: 1,
      problems: ['XYZ02: the family XYZ has no title in test/tools/sync-requirements.mjs'],
    });
    expect(get).toThrow();
  });
});
