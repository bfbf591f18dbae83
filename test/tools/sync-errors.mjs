/**
 * Keeps the tables of errors in OPERATIONS.md equal to the reference in lib/errors.
 *
 *     node test/tools/sync-errors.mjs [--check] [root]
 *
 * Between `<!-- errors: NAME -->` and `<!-- /errors -->` stands the table of the exported constant NAME, as prettier
 * writes it. With --check nothing is written; it fails when a table differs, or when one of the constants has none.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import prettier from 'prettier';
import ts from 'typescript';

const ERRORS = fileURLToPath(new URL('../../lib/errors', import.meta.url));
const TABLES = {
  ERROR_CODE_REFERENCE: 'code',
  REFUSAL_REFERENCE: 'reason',
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
  const reference = await loadErrors();
  const options = { ...(await prettier.resolveConfig(fileURLToPath(import.meta.url))), parser: 'markdown' };
  const made = {};
  for (const [name, key] of Object.entries(TABLES)) {
    made[name] = await prettier.format(table(key, reference[name]), options);
  }
  return made;
}

/** The folder's modules, with their types taken off: they import nothing but one another. */
async function loadErrors() {
  const folder = mkdtempSync(join(tmpdir(), 'sync-errors-'));
  try {
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    for (const file of readdirSync(ERRORS).filter((name) => !name.endsWith('.spec.ts'))) {
      const source = readFileSync(join(ERRORS, file), 'utf8');
      const { outputText } = ts.transpileModule(source, { compilerOptions });
      writeFileSync(join(folder, file.replace(/\.ts$/, '.js')), outputText);
    }
    const load = (name) => import(pathToFileURL(join(folder, name)).href);
    return { ...(await load('error-reference.js')), ...(await load('refusal-reference.js')) };
  } finally {
    rmSync(folder, { recursive: true });
  }
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
