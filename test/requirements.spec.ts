import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Requirement, requirements } from './requirements.js';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The ids that tests cite by `verifies('ID', …)` or `verifies(['ID', 'ID'], …)`. */
function citedIds(): Set<string> {
  const files = ['lib', 'test'].flatMap((folder) =>
    readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => /spec\.ts$/.test(name) && !name.endsWith('requirements.spec.ts'))
      .map((name) => `${root}/${folder}/${name}`),
  );
  const citations = files.flatMap((file) => [
    ...readFileSync(file, 'utf8').matchAll(/\bverifies\(\s*(\[[^\]]*\]|'[^']*')/g),
  ]);
  return new Set(
    citations.flatMap(([, ids = '']) => [...ids.matchAll(/'([^']+)'/g)].map(([, id = '']) => id)),
  );
}

describe('the requirements manifest', () => {
  const cited = citedIds();
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
});
