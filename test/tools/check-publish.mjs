/**
 * Tells whether the package may be published.
 *
 *     node test/tools/check-publish.mjs [--write] [root]
 *
 * The address of the repository stands in one place: `repository.url` of package.json. The fields `homepage` and `bugs`, the
 * absolute links of the README, and the page on errors that the package links to follow from it. With --write they are written. Otherwise the check fails for each that differs,
 * while the owner is the placeholder OWNER, while the changelog has no date for the version, and if the tag that a workflow
 * publishes (GITHUB_REF_NAME) is that of another version.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const PLACEHOLDER = 'OWNER';
/** The files with addresses of the repository, beside package.json. */
const LINKING = ['README.md', 'lib/mcp-auth.constants.ts'];
const REPOSITORY = /^git\+(?<base>https:\/\/[^/]+\/(?<owner>[^/]+)\/(?<name>[^/]+))\.git$/;

const args = process.argv.slice(2);
const root = resolve(
  args.find((arg) => arg !== '--write') ?? fileURLToPath(new URL('../..', import.meta.url)),
);
const read = (name) => readFileSync(join(root, name), 'utf8');

const manifest = JSON.parse(read('package.json'));
const repository = REPOSITORY.exec(manifest.repository?.url ?? '')?.groups;
if (repository && args.includes('--write')) write(repository);
const problems = repository
  ? [...addressProblems(repository), ...versionProblems()]
  : ['package.json: repository.url must be git+https://HOST/OWNER/NAME.git'];
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function addressProblems({ base, owner }) {
  const expected = addresses(base);
  return [
    owner === PLACEHOLDER &&
      `package.json: repository.url names the placeholder ${PLACEHOLDER}; put in the owner, then run ` +
        'node test/tools/check-publish.mjs --write',
    manifest.homepage !== expected.homepage && `package.json: homepage must be ${expected.homepage}`,
    manifest.bugs?.url !== expected.bugs.url && `package.json: bugs.url must be ${expected.bugs.url}`,
    ...LINKING.filter((name) => read(name) !== withBase(read(name), base)).map(
      (name) => `${name}: links of the repository must begin with ${base}`,
    ),
  ].filter(Boolean);
}

function versionProblems() {
  const { version } = manifest;
  const heading = new RegExp(`^## ${version.replaceAll('.', '\\.')} \\(\\d{4}-\\d{2}-\\d{2}\\)$`, 'm');
  const tag = process.env.GITHUB_REF_NAME;
  return [
    !heading.test(read('CHANGELOG.md')) && `CHANGELOG.md: must have the heading "## ${version} (YYYY-MM-DD)"`,
    tag !== undefined && tag !== `v${version}` && `the tag of version ${version} is v${version}; got ${tag}`,
  ].filter(Boolean);
}

function write({ base }) {
  Object.assign(manifest, addresses(base));
  writeFileSync(join(root, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  for (const name of LINKING) writeFileSync(join(root, name), withBase(read(name), base));
}

function addresses(base) {
  return { homepage: `${base}#readme`, bugs: { url: `${base}/issues` } };
}

/** The text with this base in each address of the repository. Such an address ends in the name of the package. */
function withBase(text, base) {
  const address = new RegExp(`https://[^/\\s()]+/[^/\\s()]+/${manifest.name}(?=[/.#)])`, 'g');
  return text.replaceAll(address, () => base);
}
