import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Bom {
  readonly bomFormat: string;
  readonly specVersion: string;
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } };
  readonly components: readonly { readonly name: string; readonly version: string; readonly purl: string }[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[];
}

describe('npm run sbom', () => {
  let text: string;
  let bom: Bom;

  beforeAll(() => {
    text = execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: root, encoding: 'utf8' });
    bom = JSON.parse(text) as Bom;
  });

  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as {
    version: string;
    packages: Record<string, { version: string }>;
  };
  const locked = (name: string): string =>
    `${name}@${String(lock.packages[`node_modules/${name}`]?.version)}`;

  it('prints CycloneDX that names the package, not the folder', () => {
    expect(bom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.5' });
    expect(bom.metadata.component).toMatchObject({ name: 'nestjs-mcp-auth', version: lock.version });
  });

  it('lists the two dependencies by their locked versions, and nothing of the development', () => {
    const expected = ['jose', 'oauth4webapi'].map(locked);
    expect(bom.components.map(({ name, version }) => `${name}@${version}`)).toEqual(expected);
    expect(bom.components.map(({ purl }) => purl)).toEqual(expected.map((each) => `pkg:npm/${each}`));
    expect(bom.dependencies).toEqual([
      { ref: `nestjs-mcp-auth@${lock.version}`, dependsOn: expected },
      ...expected.map((ref) => ({ ref, dependsOn: [] })),
    ]);
  });

  it('holds no path of the machine and no address of a registry', () => {
    expect(text).not.toContain(root);
    expect(text).not.toMatch(/file:|registry|"distribution"/);
  });
});
