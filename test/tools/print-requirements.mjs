/**
 * Prints what the package promises: each requirement with its source and the specs that prove it, or the reason why
 * none does.
 *
 *     node test/tools/print-requirements.mjs
 */
import { Buffer } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { requirements } = await load('test/requirements.ts');
const { citations } = await load('test/citations.ts');

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

/** The exports of a TypeScript file that imports nothing of the project. */
function load(path) {
  const { outputText } = ts.transpileModule(readFileSync(`${root}/${path}`, 'utf8'), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputText).toString('base64')}`);
}
