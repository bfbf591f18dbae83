/**
 * Compares the public surface with that of the last release.
 *
 *     node test/tools/api-changes.mjs [--save] [root]
 *
 * `test/api/released/` holds the API reports of the last release and its version. The check fails if a public name is gone, or a
 * line of its declaration, unless the version of package.json allows it: by a new major version, or while the major version is
 * 0, by a new minor version. What is added is no change here, and so is a further member of a union.
 *
 * A changed line that breaks nobody, such as a further optional parameter, is listed in `test/api/released/compatible.json`: an
 * object with the key `NAME: LINE`, as the check prints it, and the reason as its value.
 *
 * With --save, the present reports become those of the last release, and the list is emptied.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const EXPORT =
  /^export (?:declare |abstract |default )*(?:class|const|enum|function|interface|namespace|type) (?<name>\w+)/;
const UNION = /^export type (?<name>\w+) = (?<members>[^(){}<>]+ \| [^(){}<>]+);$/;

const args = process.argv.slice(2);
const root = resolve(
  args.find((arg) => arg !== '--save') ?? fileURLToPath(new URL('../..', import.meta.url)),
);
const folder = join(root, 'test/api');
const released = join(folder, 'released');
const { version } = readJson(join(root, 'package.json'));

if (args.includes('--save')) save();
else check();

function check() {
  if (!existsSync(join(released, 'version.json'))) {
    console.log('Nothing has been released: every public name may change.');
    return;
  }
  const last = readJson(join(released, 'version.json')).version;
  const changes = reportsIn(released).flatMap((name) => breaking(name));
  if (changes.length === 0 || mayBreak(last, version)) return;
  console.error(`These changes since ${last} need another version than ${version}:`);
  for (const change of changes) console.error(`  ${change}`);
  process.exitCode = 1;
}

function save() {
  rmSync(released, { recursive: true, force: true });
  mkdirSync(released);
  for (const name of reportsIn(folder)) copyFileSync(join(folder, name), join(released, name));
  writeFileSync(join(released, 'version.json'), `${JSON.stringify({ version })}\n`);
}

function reportsIn(path) {
  return readdirSync(path).filter((name) => name.endsWith('.api.md'));
}

/** What a report has lost, one line for each. */
function breaking(name) {
  const path = join(folder, name);
  const before = declarations(readFileSync(join(released, name), 'utf8'));
  const after = existsSync(path) ? declarations(readFileSync(path, 'utf8')) : new Map();
  const list = join(released, 'compatible.json');
  const compatible = existsSync(list) ? readJson(list) : {};
  return [...before]
    .flatMap(([exported, lines]) =>
      after.has(exported)
        ? missing(lines, after.get(exported)).map((line) => `${exported}: ${line}`)
        : [`${exported}: is gone`],
    )
    .filter((change) => !Object.hasOwn(compatible, change));
}

/** The lines of each exported declaration of a report, by its name. Overloads are one declaration. */
function declarations(report) {
  const found = new Map();
  const code = /^```ts\n(?<code>.*?)^```/ms.exec(report)?.groups.code ?? '';
  for (const block of code.split(/\n{2,}/)) {
    const lines = block.split('\n').map((line) => line.trim());
    const head = lines.find((line) => EXPORT.test(line));
    if (head === undefined) continue;
    const { name } = EXPORT.exec(head).groups;
    const content = lines.filter((line) => line !== '' && !line.startsWith('//')).flatMap(alternatives);
    found.set(name, [...(found.get(name) ?? []), ...content]);
  }
  return found;
}

/** A union as one line for each member, so that a further member leaves the others as they were. */
function alternatives(line) {
  const { name, members } = UNION.exec(line)?.groups ?? {};
  return members === undefined ? [line] : members.split(' | ').map((member) => `${name} may be ${member}`);
}

/** The lines of `before` that `after` does not have as often. */
function missing(before, after) {
  const rest = [...after];
  return before.filter((line) => {
    const at = rest.indexOf(line);
    if (at !== -1) rest.splice(at, 1);
    return at === -1;
  });
}

function mayBreak(last, next) {
  const [lastMajor, lastMinor] = last.split('.').map(Number);
  const [major, minor] = next.split('.').map(Number);
  return major > lastMajor || (major === 0 && lastMajor === 0 && minor > lastMinor);
}

function readJson(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
