import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const TOOL = fileURLToPath(new URL('./sync-snippets.mjs', import.meta.url));

const SOURCE = `import { a } from 'a';

//#region outer
export class Thing {
  //#region inner
  do(): void {
    a();

    a();
  }
  //#endregion inner
}
//#endregion outer
`;

const INNER = `do(): void {
  a();

  a();
}`;

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'sync-snippets-'));
  put('sample/one/src/thing.ts', SOURCE);
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

const get = (path: string): string => readFileSync(join(root, path), 'utf8');

const fence = (info: string, content: string): string => `\`\`\`${info}\n${content}\n\`\`\`\n`;

const inner = (content: string): string => fence('ts source="sample/one/src/thing.ts#inner"', content);

function run(...args: string[]): { status: number | null; problems: string[] } {
  const { status, stderr } = spawnSync(process.execPath, [TOOL, ...args, root], { encoding: 'utf8' });
  return { status, problems: stderr.split('\n').filter((line) => line !== '') };
}

describe('sync-snippets', () => {
  it('fills a fence with its region, moved to the left', () => {
    put('README.md', `# Title\n\n${inner('old')}\nThe end.\n`);
    expect(run()).toEqual({ status: 0, problems: [] });
    expect(get('README.md')).toBe(`# Title\n\n${inner(INNER)}\nThe end.\n`);
  });

  it('drops the markers of regions within a region, and within a whole file', () => {
    put(
      'README.md',
      fence('ts source="sample/one/src/thing.ts#outer"', '') +
        fence('ts source="sample/one/src/thing.ts"', ''),
    );
    run();
    const outer = `export class Thing {\n  ${INNER.replaceAll('\n', '\n  ').replace('\n  \n', '\n\n')}\n}`;
    expect(get('README.md')).toBe(
      fence('ts source="sample/one/src/thing.ts#outer"', outer) +
        fence('ts source="sample/one/src/thing.ts"', `import { a } from 'a';\n\n${outer}`),
    );
  });

  it('keeps the indentation of a fence within a list', () => {
    put('README.md', `1. One\n\n   ${inner('old').trimEnd().replaceAll('\n', '\n   ')}\n`);
    run();
    expect(get('README.md')).toContain('   do(): void {\n     a();\n\n     a();\n   }\n   ```\n');
    expect(run('--check').status).toBe(0);
  });

  it("fills in the root's Markdown files, the site's pages and the samples' README.md, and no others", () => {
    const paths = [
      'CONTRIBUTING.md',
      'docs/index.md',
      'docs/guides/one.md',
      'sample/README.md',
      'sample/one/README.md',
    ];
    const others = ['sample/one/docs/other.md', 'docs/.vitepress/cache/one.md', 'docs/public/api/one.md'];
    for (const path of [...paths, ...others]) put(path, inner('old'));
    run();
    for (const path of paths) expect(get(path)).toBe(inner(INNER));
    for (const path of others) expect(get(path)).toBe(inner('old'));
  });

  it('takes the paragraph of a text file that begins with a line', () => {
    put('output.txt', 'Start\nIt begins\n  1\n\nIt begins\n  2\n  3\n\nIt ends\n  4\n');
    const both = (one: string, two: string): string =>
      fence('text source="output.txt#It begins"', one) + fence('text source="output.txt#It ends"', two);
    put('README.md', both('', ''));
    expect(run()).toEqual({ status: 0, problems: [] });
    expect(get('README.md')).toBe(both('It begins\n  2\n  3', 'It ends\n  4'));
    put('README.md', fence('text source="output.txt#It"', ''));
    expect(run().problems).toEqual(['README.md:1 output.txt has no region It, or none that ends']);
  });

  it('leaves alone a fence that is shown within a longer fence', () => {
    const shown = `\`\`\`\`text\n${inner('old')}\`\`\`\`\n`;
    put('README.md', shown);
    expect(run()).toEqual({ status: 0, problems: [] });
    expect(get('README.md')).toBe(shown);
  });

  it('has nothing to do where there is no document', () => {
    rmSync(join(root, 'sample'), { recursive: true });
    expect(run()).toEqual({ status: 0, problems: [] });
    expect(run('--check')).toEqual({ status: 0, problems: [] });
  });
});

describe('sync-snippets --check', () => {
  it('accepts fences that are as their sources', () => {
    put('README.md', inner(INNER));
    expect(run('--check')).toEqual({ status: 0, problems: [] });
  });

  it('names a fence that differs, and writes nothing', () => {
    const stale = `# Title\n\n${inner(`${INNER} `)}`;
    put('README.md', stale);
    const { status, problems } = run('--check');
    expect(status).toBe(1);
    expect(problems).toEqual([expect.stringMatching(/^README\.md:3 differs from sample.*thing\.ts#inner;/)]);
    expect(get('README.md')).toBe(stale);
  });

  it('names each missing file and region, also when it writes', () => {
    const text =
      fence('ts source="sample/two/none.ts"', 'x') +
      fence('ts source="sample/one/src/thing.ts#none"', 'x') +
      fence('ts source="../none.ts"', 'x');
    put('README.md', text);
    const problems = [
      'README.md:1 the file sample/two/none.ts is missing',
      'README.md:4 sample/one/src/thing.ts has no region none, or none that ends',
      'README.md:7 ../none.ts is not in this folder',
    ];
    expect(run('--check')).toEqual({ status: 1, problems });
    expect(run()).toEqual({ status: 1, problems });
    expect(get('README.md')).toBe(text);
  });

  it('rejects a region that does not end', () => {
    put('sample/one/src/thing.ts', SOURCE.replace('//#endregion inner', ''));
    put('README.md', inner(INNER));
    expect(run('--check').problems).toEqual([expect.stringContaining('no region inner')]);
  });

  it.each(['ts', 'js', 'json', 'yaml'])('wants a source for %s but in the changelog', (language) => {
    put('README.md', fence(language, 'x'));
    put('sample/one/README.md', fence(language, 'x'));
    put('CHANGELOG.md', fence(language, 'x'));
    const problems = ['README.md', 'sample/one/README.md'].map(
      (path) => `${path}:1 a fence of ${language} has no source="…"`,
    );
    expect(run('--check')).toEqual({ status: 1, problems });
    expect(run()).toEqual({ status: 0, problems: [] });
  });

  it.each(['', 'sh', 'text', 'http', 'console'])('lets "%s" stand without a source', (language) => {
    put('README.md', fence(language, 'x'));
    expect(run('--check')).toEqual({ status: 0, problems: [] });
  });

  it('compares text that has a source', () => {
    put('test/fixtures/output.txt', 'one\n  two\n');
    put('README.md', fence('text source="test/fixtures/output.txt"', 'one\n  two'));
    expect(run('--check')).toEqual({ status: 0, problems: [] });
    put('test/fixtures/output.txt', 'one\n  three\n');
    expect(run('--check').status).toBe(1);
  });

  it('rejects a source that would close the fence', () => {
    put('test/fixtures/output.txt', '```\n');
    put('README.md', fence('text source="test/fixtures/output.txt"', 'x'));
    expect(run('--check').problems).toEqual([expect.stringContaining('make the fence longer')]);
  });
});
