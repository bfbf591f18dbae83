import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { citations } from './citations.js';
import { type Requirement, requirements } from './requirements.js';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the requirements manifest', () => {
  const cited = new Set(citations(root).keys());
  const entries = Object.entries<Requirement>(requirements);

  it('has a test for every id that is not deferred', () => {
    const untested = entries.filter(([id, { deferred }]) => deferred === undefined && !cited.has(id));
    expect(untested.map(([id]) => id)).toEqual([]);
  });

  it('has a reason for every deferred id, and no test that says otherwise', () => {
    const contradicted = entries.filter(([id, { deferred }]) => deferred !== undefined && cited.has(id));
    expect(contradicted.map(([id]) => id)).toEqual([]);
  });

  it('knows every id that a test cites', () => {
    expect([...cited].filter((id) => !(id in requirements))).toEqual([]);
  });

  it('is printed with its tests and the reasons for what is deferred', () => {
    const tool = fileURLToPath(new URL('tools/print-requirements.mjs', import.meta.url));
    const lines = execFileSync(process.execPath, [tool], { encoding: 'utf8' }).trimEnd().split('\n');
    const deferred = entries.filter(([, each]) => each.deferred !== undefined);
    const tested = entries.length - deferred.length;
    expect(lines.at(-1)).toBe(
      `${String(entries.length)} requirements: ${String(tested)} tested, ${String(deferred.length)} deferred`,
    );
    for (const [id, { behaviour }] of entries) {
      expect(lines.filter((line) => line.startsWith(`${id.padEnd(8)} ${behaviour} (`))).toHaveLength(1);
    }
    for (const [, each] of deferred) expect(lines).toContain(`         deferred: ${each.deferred ?? ''}`);
    expect(lines).toContain('         test/e2e/requests/guard.e2e-spec.ts');
  });
});
