/**
 * Prints what the package promises: each requirement with its source and the specs that prove it, or the reason why
 * none does.
 *
 *     node test/tools/print-requirements.mjs
 */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTypeScript } from './load-typescript.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { requirements } = await loadTypeScript(join(root, 'test/requirements.ts'));
const { citations } = await loadTypeScript(join(root, 'test/citations.ts'));

const specs = citations(root);
const entries = Object.entries(requirements).sort(([one], [other]) =>
  one.localeCompare(other, 'en', { numeric: true }),
);
const indent = ' '.repeat(9);
for (const [id, { behaviour, source, deferred }] of entries) {
  console.log(`${id.padEnd(8)} ${behaviour} (${source})`);
  if (deferred !== undefined) console.log(`${indent}deferred: ${deferred}`);
  for (const spec of specs.get(id) ?? []) console.log(`${indent}${spec}`);
}
const deferredCount = entries.filter(([, { deferred }]) => deferred !== undefined).length;
console.log(
  `\n${entries.length} requirements: ${entries.length - deferredCount} tested, ${deferredCount} deferred`,
);
