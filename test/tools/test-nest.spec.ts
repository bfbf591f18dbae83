import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect } from 'vitest';
import { verifies } from '../verifies.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

const json = (path: string): unknown => JSON.parse(readFileSync(join(root, path), 'utf8'));

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
}

interface VersionSet {
  readonly node: string;
  readonly nest: Readonly<Record<string, string>>;
}

describe('the versions of Nest and Node that the whole-app tests run on', () => {
  const { scripts, peerDependencies } = json('package.json') as Manifest;
  const sets = json('test/tools/nest-sets.json') as Record<string, VersionSet>;
  const nestPeers = Object.entries(peerDependencies).filter(([name]) => name.startsWith('@nestjs/'));

  verifies('WAY-38', 'are the floors of all peer ranges, in a set for each major version', () => {
    expect(nestPeers.map(([name]) => name)).toHaveLength(5);
    for (const [name, range] of nestPeers) {
      const lowest = ['nest-11-lowest', 'nest-12-lowest'].map((set) => `^${String(sets[set]?.nest[name])}`);
      expect([name, range]).toEqual([name, lowest.join(' || ')]);
    }
  });

  verifies(
    'WAY-38',
    'are those of the newest Nest 11 and of the lock file too, and "verify" runs them',
    () => {
      expect(Object.keys(sets)).toEqual([
        'nest-11-lowest',
        'nest-11-newest',
        'nest-12-lowest',
        'nest-12-newest',
      ]);
      expect(sets['nest-11-newest']?.nest['@nestjs/core']).toMatch(/^11\./);
      expect(sets['nest-12-newest']?.nest).toEqual({});
      expect(scripts['verify']).toContain('npm run -s test:nest');
    },
  );

  verifies('WAY-38', 'are on Node 20 and on Node 24, each for both major versions of Nest', () => {
    const nodes = Object.entries(sets).map(([name, { node }]) => `${name} ${node}`);
    expect(nodes).toEqual([
      'nest-11-lowest 20.20.2',
      'nest-11-newest 24.21.0',
      'nest-12-lowest 24.21.0',
      'nest-12-newest 20.20.2',
    ]);
  });

  verifies(
    'WAY-38',
    'all run, except what "npm test" runs: the lock file on the Node that it finds',
    async () => {
      const tool = new URL('./sets-to-run.mjs', import.meta.url).href;
      const { setsToRun } = (await import(tool)) as {
        setsToRun: (all: typeof sets, node: string) => string[];
      };
      const others = ['nest-11-lowest', 'nest-11-newest', 'nest-12-lowest'];
      expect(setsToRun(sets, '20.19.0')).toEqual(others);
      expect(setsToRun(sets, '22.12.0')).toEqual([...others, 'nest-12-newest']);
      expect(setsToRun(sets, '24.21.0')).toEqual([...others, 'nest-12-newest']);
    },
  );
});
