import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { anchors } from './links.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

const readme = read('README.md');
const manifest = JSON.parse(read('package.json')) as {
  license: string;
  engines: { node: string };
  peerDependencies: Record<string, string>;
  homepage: string;
};

/** What npmjs and a git host both know the repository by. */
const base = manifest.homepage.replace('#readme', '');
const targets = [...readme.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);

/** The numbers before the first dot of each version that a range begins with. */
const majors = (range: string): string[] =>
  [...range.matchAll(/(\d+)\.\d+\.\d+/g)].map(([, major = '']) => major);

describe('the README', () => {
  it('has less than 200 lines', () => {
    expect(readme.trimEnd().split('\n').length).toBeLessThan(200);
  });

  it('has no relative link, which npmjs would not resolve', () => {
    expect(targets.filter((target) => !/^(https:\/\/|#)/.test(target))).toEqual([]);
  });

  it('links to itself by headings that it has', () => {
    const own = targets.filter((target) => target.startsWith('#'));
    expect(own.filter((target) => !anchors(readme).has(target.slice(1)))).toEqual([]);
  });

  it('links to files of the repository that exist, and to headings that they have', () => {
    const prefix = `${base}/blob/main/`;
    const paths = targets
      .filter((target) => target.startsWith(prefix))
      .map((target) => target.slice(prefix.length));
    const leadsNowhere = (target: string): boolean => {
      const [path = '', anchor] = target.split('#', 2);
      if (!existsSync(join(root, path))) return true;
      return anchor !== undefined && !anchors(read(path)).has(anchor);
    };
    expect(paths.length).toBeGreaterThan(10);
    expect(paths.filter(leadsNowhere)).toEqual([]);
  });

  it('has badges of the versions that package.json allows, and of its license', () => {
    const badges = [
      ...readme.matchAll(/\[!\[([^\]]+)\]\(https:\/\/img\.shields\.io\/badge\/(\w+)-([^)]+)-blue\)\]/g),
    ];
    const shown = badges.map(([, alt, label = '', message = '']) => [
      alt,
      `${label}: ${decodeURIComponent(message).replaceAll('--', '-')}`,
    ]);
    const nest = majors(manifest.peerDependencies['@nestjs/core'] ?? '');
    const node = majors(manifest.engines.node);
    expect(shown).toEqual([
      ['MCP 2026-07-28', 'MCP: 2026-07-28'],
      [`Nest ${nest.join(' and ')}`, `Nest: ${nest.join(' | ')}`],
      [`Node ${node.join(', ').replace(/, (\d+)$/, ' and $1')}`, `Node: ${node.join(' | ')}`],
      [`License: ${manifest.license}`, `license: ${manifest.license}`],
    ]);
  });

  it('says from which version of Node and Nest on the package works, as package.json does', () => {
    const from = [...readme.matchAll(/^\| (Node|Nest) (\d+) +\| (\S+) +\|/gm)].map(([, ...cells]) =>
      cells.join(' '),
    );
    const versions = (range: string): string[] => range.match(/\d+\.\d+\.\d+/g) ?? [];
    const lines = (name: string, range: string): string[] =>
      versions(range).map((version) => `${name} ${String(majors(version)[0])} ${version}`);
    expect(from).toEqual([
      ...lines('Node', manifest.engines.node),
      ...lines('Nest', manifest.peerDependencies['@nestjs/core'] ?? ''),
    ]);
  });

  it('names as tested only versions that the tests run', () => {
    const rows = [...readme.matchAll(/^\| (?:Node|Nest) \d+ +\| \S+ +\| ([\d., ]+?) +\|/gm)];
    const tested = rows.flatMap(([, versions = '']) => versions.split(', '));
    const run = read('test/package/consumer.spec.ts') + read('test/tools/nest-sets.json');
    expect(tested.length).toBeGreaterThan(4);
    expect(
      tested.filter((version) => !new RegExp(`['"]${version.replaceAll('.', '\\.')}['"]`).test(run)),
    ).toEqual([]);
  });
});
