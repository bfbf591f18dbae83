import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const tool = fileURLToPath(new URL('api-changes.mjs', import.meta.url));

const GUARD = `// @public
export class Guard {
    // (undocumented)
    canActivate(context: Context): Promise<boolean>;
    readonly name: string;
}`;
const REASON = `// @public
export type Reason = 'issuer' | 'audience';`;
const OPTIONS = `// @public
export interface Options {
    readonly timeoutMs?: number;
}`;
const PARSE = `// @public
export function parse(text: string): object;

// @public
export function parse(bytes: Uint8Array): object;`;
const ALL = [GUARD, OPTIONS, PARSE, REASON];

describe('api-changes', () => {
  let root: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'api-changes-'));
    mkdirSync(join(root, 'test/api'), { recursive: true });
  });

  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  function put(version: string, ...declarations: readonly string[]): void {
    writeFileSync(join(root, 'package.json'), JSON.stringify({ version }));
    const code = ["import { Context } from 'nest';", ...declarations].join('\n\n');
    const report = `## API Report File for "package"\n\n\`\`\`ts\n\n${code}\n\n// (No @packageDocumentation)\n\n\`\`\`\n`;
    writeFileSync(join(root, 'test/api/package.api.md'), report);
  }

  function run(...args: string[]) {
    const { status, stderr } = spawnSync(process.execPath, [tool, ...args, root], { encoding: 'utf8' });
    return { status, lines: stderr.split('\n').filter((line) => line !== '') };
  }

  function release(version: string, ...declarations: readonly string[]): void {
    put(version, ...declarations);
    expect(run('--save')).toEqual({ status: 0, lines: [] });
  }

  const PASSED = { status: 0, lines: [] };
  const failed = (last: string, next: string, ...changes: readonly string[]) => ({
    status: 1,
    lines: [
      `These changes since ${last} need another version than ${next}:`,
      ...changes.map((each) => `  ${each}`),
    ],
  });

  it('allows everything before the first release', () => {
    put('0.1.0', GUARD);
    expect(run()).toEqual(PASSED);
  });

  it('passes the same surface in another order, with other comments and imports', () => {
    release('1.4.0', ...ALL);
    put(
      '1.4.1',
      "import type { Other } from 'other';",
      ...[...ALL].reverse().map((each) => `// @beta\n${each}`),
    );
    expect(run()).toEqual(PASSED);
  });

  it('passes what is added: a name, a member, an overload and a member of a union', () => {
    release('1.4.0', ...ALL);
    put(
      '1.5.0',
      GUARD.replace('readonly name', 'readonly added?: boolean;\n    readonly name'),
      OPTIONS,
      `${PARSE}\n\n// @public\nexport function parse(url: URL): object;`,
      REASON.replace("'issuer'", "'added' | 'issuer'"),
      '// @public\nexport const ADDED: string;',
    );
    expect(run()).toEqual(PASSED);
  });

  it.each([
    ['a name', [OPTIONS, PARSE, REASON], 'Guard: is gone'],
    [
      'a name, when a longer one is there',
      [GUARD.replace('Guard', 'Guards'), OPTIONS, PARSE, REASON],
      'Guard: is gone',
    ],
    [
      'a member',
      [GUARD.replace('    readonly name: string;\n', ''), OPTIONS, PARSE, REASON],
      'Guard: readonly name: string;',
    ],
    [
      'the type of a member',
      [GUARD.replace('name: string', 'name: string | undefined'), OPTIONS, PARSE, REASON],
      'Guard: readonly name: string;',
    ],
    [
      'that a member is optional',
      [GUARD, OPTIONS.replace('?', ''), PARSE, REASON],
      'Options: readonly timeoutMs?: number;',
    ],
    [
      'an overload',
      [GUARD, OPTIONS, PARSE.slice(0, PARSE.indexOf('\n\n')), REASON],
      'parse: export function parse(bytes: Uint8Array): object;',
    ],
    [
      'a member of a union',
      [GUARD, OPTIONS, PARSE, REASON.replace("'issuer' | ", "'added' | ")],
      "Reason: Reason may be 'issuer'",
    ],
    [
      'what a name is',
      [GUARD.replace('export class', 'export interface'), OPTIONS, PARSE, REASON],
      'Guard: export class Guard {',
    ],
  ])('rejects a minor version that loses %s', (_, declarations, change) => {
    release('1.4.0', ...ALL);
    put('1.5.0', ...declarations);
    expect(run()).toEqual(failed('1.4.0', '1.5.0', change));
    put('2.0.0', ...declarations);
    expect(run()).toEqual(PASSED);
  });

  it('rejects a lost report', () => {
    release('1.4.0', GUARD);
    rmSync(join(root, 'test/api/package.api.md'));
    expect(run()).toEqual(failed('1.4.0', '1.4.0', 'Guard: is gone'));
  });

  it('lets a minor version break while the major version is 0, and a patch never', () => {
    release('0.4.2', ...ALL);
    put('0.4.3', GUARD);
    expect(run()).toMatchObject({ status: 1 });
    put('0.5.0', GUARD);
    expect(run()).toEqual(PASSED);
    put('1.0.0', GUARD);
    expect(run()).toEqual(PASSED);
  });

  it('passes a change that is listed as compatible, with its reason, until the next release', () => {
    release('1.4.0', ...ALL);
    const changed = PARSE.replace('(text: string)', '(text: string, base?: string)');
    const listed = { 'parse: export function parse(text: string): object;': 'the new parameter is optional' };
    writeFileSync(join(root, 'test/api/released/compatible.json'), JSON.stringify(listed));
    put('1.5.0', GUARD, OPTIONS, changed, REASON);
    expect(run()).toEqual(PASSED);
    put('1.5.0', OPTIONS, changed, REASON);
    expect(run()).toEqual(failed('1.4.0', '1.5.0', 'Guard: is gone'));
    expect(run('--save')).toEqual(PASSED);
    expect(existsSync(join(root, 'test/api/released/compatible.json'))).toBe(false);
  });

  it('reads every exported name of the reports of this package', () => {
    for (const name of ['nestjs-mcp-auth', 'nestjs-mcp-auth.testing']) {
      const report = readFileSync(new URL(`../api/${name}.api.md`, import.meta.url), 'utf8');
      writeFileSync(join(root, 'package.json'), JSON.stringify({ version: '1.0.0' }));
      writeFileSync(join(root, 'test/api/package.api.md'), report);
      run('--save');
      put('1.0.1');
      const names = [...report.matchAll(/^export .*?\b(?:class|const|function|interface|type) (\w+)/gm)];
      const gone = new Set(names.map(([, exported]) => `  ${String(exported)}: is gone`));
      expect(gone.size).toBeGreaterThan(10);
      expect(new Set(run().lines.slice(1))).toEqual(gone);
    }
  });
});
