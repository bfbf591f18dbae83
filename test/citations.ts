import { readFileSync, readdirSync } from 'node:fs';

/** Which specs cite which ids, by `verifies('ID', …)` or `verifies(['ID', 'ID'], …)`. */
export function citations(root: string): ReadonlyMap<string, ReadonlySet<string>> {
  const specsById = new Map<string, Set<string>>();
  for (const spec of specFiles(root)) {
    const text = readFileSync(`${root}/${spec}`, 'utf8');
    for (const [, ids = ''] of text.matchAll(/\bverifies\(\s*(\[[^\]]*\]|'[^']*')/g)) {
      for (const [, id = ''] of ids.matchAll(/'([^']+)'/g)) {
        specsById.set(id, (specsById.get(id) ?? new Set()).add(spec));
      }
    }
  }
  return specsById;
}

function specFiles(root: string): readonly string[] {
  return ['lib', 'test'].flatMap((folder) =>
    readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('spec.ts') && !name.endsWith('requirements.spec.ts'))
      .map((name) => `${folder}/${name}`),
  );
}
