/**
 * Keeps the tables of errors in OPERATIONS.md equal to test/tools/error-reference.ts.
 *
 *     node test/tools/sync-errors.mjs [--check] [root]
 *
 * Between `<!-- errors: NAME -->` and `<!-- /errors -->` stands the table of the exported constant NAME, as prettier
 * writes it. With --check nothing is written; it fails when a table differs, or when one of the constants has none.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import ts from 'typescript';

const TABLES = {
  ERROR_CODE_REFERENCE: 'code',
  REJECTION_REFERENCE: 'reason',
  DISCOVERY_FAILURE_REFERENCE: 'failure',
};
const SECTION = /(?<begin><!-- errors: (?<name>\w+) -->\n)[^]*?(?<end><!-- \/errors -->)/g;

const args = process.argv.slice(2);
const check = args.includes('--check');
const root = resolve(
  args.find((arg) => arg !== '--check') ?? fileURLToPath(new URL('../..', import.meta.url)),
);
const path = join(root, 'OPERATIONS.md');

const before = readFileSync(path, 'utf8');
const tables = await makeTables();
const found = [...before.matchAll(SECTION)].map(({ groups }) => groups.name);
const after = before.replace(SECTION, (section, ...rest) => {
  const { begin, name, end } = rest.at(-1);
  return name in tables ? `${begin}\n${tables[name]}\n${end}` : section;
});
const problems = Object.keys(TABLES)
  .filter((name) => !found.includes(name))
  .map((name) => `OPERATIONS.md has no table "${name}"`);
if (check && after !== before) problems.push('OPERATIONS.md: run node test/tools/sync-errors.mjs');
if (!check && after !== before) writeFileSync(path, after);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** Each table by the name of its constant. */
async function makeTables() {
  const reference = await loadReference();
  const options = { ...(await prettier.resolveConfig(fileURLToPath(import.meta.url))), parser: 'markdown' };
  const made = {};
  for (const [name, key] of Object.entries(TABLES)) {
    made[name] = await prettier.format(table(key, reference[name]), options);
  }
  return made;
}

/** The constants. Without its types the module imports nothing. */
async function loadReference() {
  const source = readFileSync(new URL('./error-reference.ts', import.meta.url), 'utf8');
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(source, { compilerOptions });
  return import(`data:text/javascript,${encodeURIComponent(outputText)}`);
}

function table(key, reference) {
  const rows = Object.entries(reference).map(([name, { statuses, meaning, fix }]) => {
    const status = statuses.length > 0 ? statuses.join(', ') : 'none';
    return [`\`${name}\``, status, meaning, fix];
  });
  return [[key, 'status', 'it means', 'do'], ['---', '---', '---', '---'], ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}
