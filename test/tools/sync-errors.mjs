/**
 * Keeps the sections of docs/reference/errors.md equal to test/tools/error-reference.ts.
 *
 *     node test/tools/sync-errors.mjs [--check] [root]
 *
 * Between `<!-- errors: NAME -->` and `<!-- /errors -->` there is a section for each entry of the exported constant NAME, as
 * prettier writes it. With --check nothing is written; it fails if a section differs, or if one of the constants has no place.
 */
import { fileURLToPath } from 'node:url';
import { formatted, readPage, settle } from './generated-page.mjs';
import { loadTypeScript } from './load-typescript.mjs';

const PAGE = 'docs/reference/errors.md';
const NAMES = ['ERROR_CODE_REFERENCE', 'REJECTION_REFERENCE', 'DISCOVERY_FAILURE_REFERENCE'];
const SECTION = /(?<begin><!-- errors: (?<name>\w+) -->\n)[^]*?(?<end><!-- \/errors -->)/g;

const before = readPage(PAGE);
const sections = await makeSections();
const found = [...before.matchAll(SECTION)].map(({ groups }) => groups.name);
const after = before.replace(SECTION, (section, ...rest) => {
  const { begin, name, end } = rest.at(-1);
  return name in sections ? `${begin}\n${sections[name]}\n${end}` : section;
});
const problems = NAMES.filter((name) => !found.includes(name)).map(
  (name) => `${PAGE} has no place for "${name}"`,
);
settle(PAGE, after, 'sync-errors.mjs', problems);

/** The text of each constant, by its name. */
async function makeSections() {
  const reference = await loadTypeScript(fileURLToPath(new URL('./error-reference.ts', import.meta.url)));
  const made = {};
  for (const name of NAMES) made[name] = await formatted(print(reference[name]));
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
