/**
 * Prints a software bill of materials in the format CycloneDX: what the package installs, and nothing of its development.
 *
 *     node test/tools/sbom.mjs [root]
 *
 * npm makes it from the lock file, without a network. Its option `--omit dev` also omits a dependency that a development
 * dependency needs too, and it names the package after the folder, so both are put right here.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('../..', import.meta.url)));
const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const npmArguments = ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'];
const bom = JSON.parse(
  execFileSync('npm', npmArguments, { cwd: root, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 }),
);

const isDevelopment = ({ properties = [] }) =>
  properties.some((property) => property.name === 'cdx:npm:package:development' && property.value === 'true');
const components = bom.components.filter((component) => !isDevelopment(component));
const listed = new Set([bom.metadata.component, ...components].map((component) => component['bom-ref']));
const dependencies = bom.dependencies
  .filter(({ ref }) => listed.has(ref))
  .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((each) => listed.has(each)) }));

const metadata = { ...bom.metadata, component: { ...bom.metadata.component, name } };
console.log(JSON.stringify({ ...bom, metadata, components, dependencies }, null, 2));
