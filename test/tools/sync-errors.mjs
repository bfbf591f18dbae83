/**
 * Keeps the sections of docs/reference/errors.md equal to test/tools/error-reference.ts.
 *
 *     node test/tools/sync-errors.mjs [--check] [root]
 *
 * Between `<!-- errors: NAME -->` and `<!-- /errors -->` there is a section for each entry of the exported constant NAME, as
 * prettier writes it. With --check nothing is written; it fails if a section differs, or if one of the constants has no place.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';
import { loadTypeScript } from './load-typescript.mjs';

const PAGE = 'docs/reference/errors.md';
const NAMES = ['ERROR_CODE_REFERENCE', 'REJECTION_REFERENCE', 'DISCOVERY_FAILURE_REFERENCE'];
const SECTION = /(?<begin><!-- errors: (?<name>\w+) -->\n)[^]*?(?<end><!-- \/errors -->)/g;

const args = process.argv.slice(2);
const check = args.includes('--check');
const root = resolve(
  args.find((arg) => arg !== '--check') ?? fileURLToPath(new URL('../..', import.meta.url)),
);
const path = join(root, PAGE);

const before = readFileSync(path, 'utf8');
const sections = await makeSections();
const found = [...before.matchAll(SECTION)].map(({ groups }) => groups.name);
const after = before.replace(SECTION, (section, ...rest) => {
  const { begin, name, end } = rest.at(-1);
  return name in sections ? `${begin}\n${sections[name]}\n${end}` : section;
});
const problems = NAMES.filter((name) => !found.includes(name)).map(
  (name) => `${PAGE} has no place for "${name}"`,
);
if (check && after !== before) problems.push(`${PAGE}: run node test/tools/sync-errors.mjs`);
if (!check && after !== before) writeFileSync(path, after);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

/** The text of each constant, by its name. */
async function makeSections() {
  const reference = await loadTypeScript(fileURLToPath(new URL('./error-reference.ts', import.meta.url)));
  const style = await prettier.resolveConfig(fileURLToPath(import.meta.url));
  const options = { ...style, parser: 'markdown', proseWrap: 'always' };
  const made = {};
  for (const name of NAMES) made[name] = await prettier.format(print(reference[name]), options);
  return made;
}

function print(reference) {
  return Object.entries(reference)
    .map(([name, { statuses, meaning, fix }]) => {
      const status = statuses.length > 0 ? `HTTP status: ${statuses.join(', ')}` : 'No HTTP status';
      return `### ${name}\n\n- ${status}\n- Meaning: ${meaning}\n- Fix: ${fix}`;
    })
    .join('\n\n');
}
