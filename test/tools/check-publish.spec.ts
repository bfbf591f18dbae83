import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const tool = join(root, 'test/tools/check-publish.mjs');
const BASE = 'https://github.com/somebody/nestjs-mcp-auth';

describe('check-publish', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'check-publish-'));
    put('package.json', manifestOf(BASE));
    put('README.md', `[guide](${BASE}/blob/main/docs/a.md) [other](https://github.com/other/thing)\n`);
    mkdirSync(join(folder, 'lib'));
    put('lib/mcp-auth.constants.ts', constantsOf(BASE));
    put('CHANGELOG.md', '# Changelog\n\n## 1.2.0 (2026-12-01)\n');
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function put(name: string, content: string | object): void {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }

  const get = (name: string): string => readFileSync(join(folder, name), 'utf8');

  function check(args: readonly string[] = [folder], env: Readonly<Record<string, string>> = {}) {
    const all = { ...process.env, GITHUB_REF_NAME: undefined, ...env };
    const options = { encoding: 'utf8', env: all } as const;
    const { status, stderr } = spawnSync(process.execPath, [tool, ...args], options);
    return { status, problems: stderr.split('\n').filter((line) => line !== '') };
  }

  it('passes a package whose addresses and version agree', () => {
    expect(check()).toEqual({ status: 0, problems: [] });
    expect(check([folder], { GITHUB_REF_NAME: 'v1.2.0' })).toEqual({ status: 0, problems: [] });
  });

  it('rejects the placeholder in place of an owner', () => {
    const base = BASE.replace('somebody', 'OWNER');
    put('package.json', manifestOf(base));
    put('README.md', `[guide](${base}/blob/main/docs/a.md)\n`);
    put('lib/mcp-auth.constants.ts', constantsOf(base));
    expect(check()).toEqual({
      status: 1,
      problems: [expect.stringContaining('repository.url names the placeholder OWNER')],
    });
  });

  it.each([
    ['another homepage', { homepage: 'https://example.com' }, `homepage must be ${BASE}#readme`],
    ['another address for bugs', { bugs: { url: `${BASE}/bugs` } }, `bugs.url must be ${BASE}/issues`],
    ['no repository', { repository: undefined }, 'repository.url must be git+https://HOST/OWNER/NAME.git'],
  ])('rejects a package.json with %s', (_, change, problem) => {
    put('package.json', { ...manifestOf(BASE), ...change });
    expect(check()).toEqual({ status: 1, problems: [`package.json: ${problem}`] });
  });

  it('rejects a link of the README to another copy of the repository', () => {
    put(
      'README.md',
      `[a](${BASE}/blob/main/a.md) [b](https://github.com/OWNER/nestjs-mcp-auth/blob/main/b.md)\n`,
    );
    expect(check()).toEqual({
      status: 1,
      problems: [`README.md: links of the repository must begin with ${BASE}`],
    });
  });

  it('rejects an address in the package of another copy of the repository', () => {
    put('lib/mcp-auth.constants.ts', constantsOf(BASE.replace('somebody', 'OWNER')));
    expect(check()).toEqual({
      status: 1,
      problems: [`lib/mcp-auth.constants.ts: links of the repository must begin with ${BASE}`],
    });
  });

  it('rejects a version without a date in the changelog', () => {
    put('CHANGELOG.md', '# Changelog\n\n## 1.2.0 (unreleased)\n\n## 1.1.0 (2026-11-01)\n');
    expect(check()).toEqual({
      status: 1,
      problems: ['CHANGELOG.md: must have the heading "## 1.2.0 (YYYY-MM-DD)"'],
    });
  });

  it('rejects the tag of another version', () => {
    expect(check([folder], { GITHUB_REF_NAME: 'v1.2.1' })).toEqual({
      status: 1,
      problems: ['the tag of version 1.2.0 is v1.2.0; got v1.2.1'],
    });
  });

  it('writes all addresses from the one of the repository', () => {
    const moved = 'https://git.example.com/team/nestjs-mcp-auth';
    put('package.json', { ...manifestOf(BASE), repository: { type: 'git', url: `git+${moved}.git` } });
    expect(check(['--write', folder])).toEqual({ status: 0, problems: [] });
    expect(JSON.parse(get('package.json'))).toEqual(manifestOf(moved));
    expect(get('README.md')).toBe(
      `[guide](${moved}/blob/main/docs/a.md) [other](https://github.com/other/thing)\n`,
    );
    expect(get('lib/mcp-auth.constants.ts')).toBe(constantsOf(moved));
  });

  it('finds the addresses of this repository consistent', () => {
    const { problems } = check([root]);
    expect(problems.filter((problem) => !/placeholder|YYYY-MM-DD/.test(problem))).toEqual([]);
  });

  it('runs before npm publishes', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    expect(scripts['prepublishOnly']).toContain('npm run -s check:publish');
  });
});

describe('the release workflow', () => {
  const workflow = readFileSync(join(root, '.github/workflows/release.yml'), 'utf8');
  const [before = '', publish = ''] = workflow.split(/^ {2}publish:$/m);

  it('tries to publish, and then publishes with provenance', () => {
    expect(workflow.match(/npm publish.*/g)).toEqual([
      'npm publish --dry-run --provenance --access public',
      'npm publish --provenance --access public',
    ]);
  });

  it('lets only the job that publishes get a token, and none write to the repository', () => {
    expect(before).toMatch(/^permissions: \{\}$/m);
    expect(before).not.toContain('id-token');
    expect(publish.match(/^ +[\w-]+: write$/gm)).toEqual(['      id-token: write']);
    expect(workflow).not.toMatch(/secrets\.|contents: write/);
  });

  it('uses the actions of GitHub only, each of one major version', () => {
    const uses = [...workflow.matchAll(/uses: (\S+)/g)].map(([, action = '']) => action);
    expect(uses.length).toBeGreaterThan(3);
    expect(uses.filter((action) => !/^actions\/[\w-]+@v\d+$/.test(action))).toEqual([]);
  });
});

function constantsOf(base: string): string {
  return `export const ERROR_PAGE = '${base}/blob/main/docs/reference/errors.md';\n`;
}

function manifestOf(base: string) {
  return {
    name: 'nestjs-mcp-auth',
    version: '1.2.0',
    repository: { type: 'git', url: `git+${base}.git` },
    homepage: `${base}#readme`,
    bugs: { url: `${base}/issues` },
  };
}
