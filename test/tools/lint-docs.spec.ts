import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const TOOL = fileURLToPath(new URL('./lint-docs.mjs', import.meta.url));

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'lint-docs-spec-'));
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function put(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

function problems(): string[] {
  const { status, stderr } = spawnSync(process.execPath, [TOOL, root], { encoding: 'utf8' });
  const lines = stderr.split('\n').filter((line) => line !== '');
  expect(status).toBe(lines.length > 0 ? 1 : 0);
  return lines;
}

const row = (...cells: string[]): string => `| ${cells.join(' | ')} |\n`;

describe('lint-docs', () => {
  it('accepts a page that keeps every rule', () => {
    put(
      'docs/guides/page.md',
      '---\ntitle: Page\n---\n\n# Page\n\nText.\n\n## Part\n\n### Detail\n\n## Part\n\n' +
        row('a', 'b', 'c', 'd \\| e') +
        row('---', '---', '---', '---') +
        `\n[link](https://example.com/${'a'.repeat(500)})\n\n${'a'.repeat(400)}\n\n` +
        `\`\`\`sh\n# nobody\n${'a'.repeat(120)}\n| a | b | c | d | e |\n\`\`\`\n\nThe code is \`nobody\`.\n`,
    );
    expect(problems()).toEqual([]);
  });

  it('reads the pages of the site and three of the root, and no others', () => {
    const read = ['CONTRIBUTING.md', 'README.md', 'SECURITY.md', 'docs/index.md', 'docs/guides/one.md'];
    for (const path of [...read, 'CHANGELOG.md', 'docs/public/api/one.md', 'sample/README.md'])
      put(path, 'Text.\n');
    expect(problems().sort()).toEqual(read.map((path) => `${path}:1 no heading`).sort());
  });

  it('rejects a long line of prose, without the address of a link', () => {
    put('README.md', `# Page\n\n[${'a'.repeat(400)}](https://example.com)\n`);
    expect(problems()).toEqual(['README.md:3 a line of prose has 402 characters; at most 400']);
  });

  it('rejects a long line of code', () => {
    put('README.md', `# Page\n\n~~~\n${'a'.repeat(121)}\n~~~\n`);
    expect(problems()).toEqual(['README.md:4 a line of code has 121 characters; at most 120']);
  });

  it('does not limit the width of what programs print', () => {
    const long = 'a'.repeat(500);
    put(
      'README.md',
      `# Page\n\n\`\`\`console\n${long}\n\`\`\`\n\n\`\`\`http\n${long}\n\`\`\`\n\n\`\`\`sh\n${long}\n\`\`\`\n`,
    );
    expect(problems()).toEqual(['README.md:12 a line of code has 500 characters; at most 120']);
  });

  it('rejects a wide row, and a table of five columns', () => {
    put(
      'README.md',
      `# Page\n\n${row('a'.repeat(157))}${row('a'.repeat(156))}${row('a', 'b', 'c', 'd', 'e')}`,
    );
    expect(problems()).toEqual([
      'README.md:3 a row has 161 characters; at most 160',
      'README.md:5 a table has 5 columns; at most 4',
    ]);
  });

  it('rejects a second heading of the first level', () => {
    put('README.md', '# Page\n\n## Part\n\n# Page\n');
    expect(problems()).toEqual(['README.md:5 a second heading of the first level']);
  });

  it('rejects a heading that leaves out a level', () => {
    put('README.md', '# Page\n\n### Detail\n\n## Part\n\n#### Detail\n');
    expect(problems()).toEqual([
      'README.md:3 a heading of level 3 follows level 1',
      'README.md:7 a heading of level 4 follows level 2',
    ]);
  });

  it('rejects a page that does not begin with a heading of the first level', () => {
    put('README.md', '## Part\n\n```sh\n# Page\n```\n');
    expect(problems()).toEqual(['README.md:1 a heading of level 2 follows level 0']);
  });

  it('takes the heading of a home page from its front matter', () => {
    put('docs/index.md', '---\nlayout: home\nhero:\n  name: Page\n---\n\n## Part\n');
    put('docs/other.md', '---\nlayout: home\n---\n\n# Page\n');
    expect(problems()).toEqual(['docs/other.md:5 a second heading of the first level']);
  });

  it.each([
    ['The keys cannot be had', 'cannot be had'],
    ['It is compared to the letter', 'to the letter'],
    ['All pass but for one', 'but for'],
    ['It stops the start', 'stops the start'],
    ['Nobody may call it', 'Nobody'],
    ['The guard lets it in', 'lets it in'],
    ['It turns away a token', 'turns away'],
    ['The guard refuses it', 'refuses'],
    ['The guard admits it', 'admits'],
    ['It is decided on', 'decided on'],
    ['See that it runs', 'See that'],
    ['It runs all the same', 'all the same'],
    ['Clients go by the name', 'go by'],
    ['It takes some 2 MB', 'some 2'],
    ['It says what it comes to', 'what it comes to'],
    ['It is made anew', 'is made anew'],
    ['This is a look-alike', 'look-alike'],
    ['A known resource', 'known resource'],
    ['The boot advice', 'boot advice'],
    ['One is what suffices', 'suffices'],
  ])('rejects the phrase in "%s"', (text, phrase) => {
    put('README.md', `# ${text}\n`);
    expect(problems()).toEqual([expect.stringContaining(`README.md:1 "${phrase}": write `)]);
  });

  it('rejects a phrase that goes on in the next line, once', () => {
    put('README.md', '# Page\n\nIt is compared to the\nletter. Text.\n');
    expect(problems()).toEqual(['README.md:3 "to the letter": write "exactly"']);
  });
});
