/**
 * Prints a software bill of materials in the format CycloneDX: what the package installs, and nothing of its development.
 *
 *     node test/tools/sbom.mjs [root]
 *
 * npm makes it from the lock file, without a network. It gets only the entries of dependencies: npm's own option
 * `--omit dev` also omits a dependency that a development dependency needs too.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('../..', import.meta.url)));
const read = (file) => JSON.parse(readFileSync(join(root, file), 'utf8'));

const { name, version, description, license, dependencies } = read('package.json');
const manifest = { name, version, description, license, dependencies };
const lock = read('package-lock.json');
const isInstalled = ([path, { dev, peer }]) => path !== '' && !dev && !peer;
const packages = Object.fromEntries(Object.entries(lock.packages).filter(isInstalled));

const temporary = mkdtempSync(join(tmpdir(), 'sbom-'));
try {
  // npm names the package after its folder.
  const folder = join(temporary, name);
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
  const { lockfileVersion } = lock;
  const ofPackage = { name, version, lockfileVersion, packages: { '': manifest, ...packages } };
  writeFileSync(join(folder, 'package-lock.json'), JSON.stringify(ofPackage));
  const npmArguments = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
  process.stdout.write(execFileSync('npm', npmArguments, { cwd: folder, encoding: 'utf8' }));
} finally {
  rmSync(temporary, { recursive: true });
}
