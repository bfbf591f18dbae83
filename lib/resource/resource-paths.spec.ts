import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offlineResource } from '../../test/fixtures/resources.js';
import { verifies } from '../../test/verifies.js';
import type { AuthorizationServerRegistry } from '../authorization-server/authorization-server.registry.js';
import { resolveOptions } from '../options/resolve-options.js';
import { ProtectedResourceRegistry } from './protected-resource.registry.js';
import { ResourcePaths } from './resource-paths.js';

/** No authorization server is asked for paths. */
function pathsOf(...resources: string[]): ResourcePaths {
  const options = resolveOptions({ resources: resources.map((each) => offlineResource(each)) });
  return new ResourcePaths(new ProtectedResourceRegistry(options, {} as AuthorizationServerRegistry));
}

/** Which of these resources a request target belongs to. */
function finder(...resources: string[]): (target: string) => string | undefined {
  const paths = pathsOf(...resources);
  return (target) => paths.find(target)?.options.resource;
}

const NOTES = 'https://api.example.com/notes';
const V1 = 'https://api.example.com/v1/Notes';

describe('ResourcePaths', () => {
  const find = finder(NOTES, V1);

  it.each([
    '/notes',
    '/notes/',
    '/notes//',
    '//notes',
    '/notes/x',
    '/notes/x/y?a=b',
    '/notes?x',
    '/notes?',
    '/notes#',
    '/notes#/x',
    '/notes/#',
    '/notes?a#b',
    '/NOTES',
    '/nOtEs/X',
    '/%6eotes',
    '/%6Eotes/%',
    '/%6eotes/%ff',
    '/%6e%6f%74%65%73',
    '/notes/%zz',
    '/notes%2f',
    '/notes%2Fx',
    '/notes%5cx',
    '/notes\\x',
    '/notes;v=1',
    '/notes;v=1/x',
    '/notes%3bx',
    '/./notes',
    '/%2e/notes',
    '/x/../notes',
    '/x/%2e%2E/notes',
    '/../notes',
    '/x/y/../../notes/z',
    '/notes/../admin',
    'http://other.example/notes',
    'HTTPS://other.example:1/NOTES?x',
    'http://user@other.example/x/../notes',
  ])('finds a resource at or above %j', (target) => {
    expect(find(target)).toBe(NOTES);
  });

  it.each([
    '/',
    '',
    '*',
    '?/notes',
    '#/notes',
    '/note',
    '/notesx',
    '/notes2/notes',
    '/xnotes',
    '/x/notes',
    '/notes%00',
    '/notes%20',
    '/notes.',
    '/.notes',
    '/not/es',
    '/not%65es',
    '/%256eotes',
    '/no\u0442es',
    '/x;/notes/..;/y',
    '/v1',
    '/v1/note',
    '/v1x/notes',
    'notes',
    '\\notes',
    'http://notes',
    'http://notes/',
    'x:/notes',
    '/x?/notes',
  ])('finds none at %j', (target) => {
    expect(find(target)).toBeUndefined();
  });

  it.each(['/v1/Notes', '/V1/notes', '/v1//notes/x', '/v1/x/../notes', '/%761/Notes;x'])(
    'finds a resource with a longer path, whatever the letter case of its identifier: %j',
    (target) => {
      expect(find(target)).toBe(V1);
    },
  );

  it('takes the longest of several resources above a path', () => {
    const above = finder('https://api.example.com', NOTES, `${NOTES}/private`);
    expect(above('/')).toBe('https://api.example.com');
    expect(above('/other/notes')).toBe('https://api.example.com');
    expect(above('/notes/public')).toBe(NOTES);
    expect(above('/notes/privately')).toBe(NOTES);
    expect(above('/notes/private/x')).toBe(`${NOTES}/private`);
    expect(above('/notes/./private/')).toBe(`${NOTES}/private`);
  });

  it('does not choose between resources that share a path, nor one above them', () => {
    for (const other of ['https://other.example/notes', 'https://api.example.com/NOTES']) {
      expect(finder(NOTES, other)('/notes/x')).toBeUndefined();
      expect(finder('https://api.example.com', NOTES, other)('/notes')).toBeUndefined();
      expect(finder('https://api.example.com', NOTES, other)('/other')).toBe('https://api.example.com');
      expect(pathsOf(NOTES, V1, other).problems()).toEqual([
        {
          path: 'earlyAuthentication',
          message: `cannot tell "${NOTES}" and "${other}" apart by their paths; give them different paths, or leave it out`,
        },
      ]);
    }
    expect(pathsOf(NOTES, V1, 'https://other.example/notes2').problems()).toEqual([]);
  });

  it('finds the path that an identifier spells in its own way', () => {
    expect(finder('https://api.example.com/caf%C3%A9')('/caf%c3%a9/x')).toBe(
      'https://api.example.com/caf%C3%A9',
    );
    expect(finder('https://api.example.com/a%2Fb')('/a%2fb')).toBe('https://api.example.com/a%2Fb');
    expect(finder('https://api.example.com/v1:batch')('/v1:batch')).toBe('https://api.example.com/v1:batch');
    expect(finder(`${NOTES}/`)('/notes')).toBe(`${NOTES}/`);
  });

  const piece = fc.constantFrom(
    '/',
    '//',
    '\\',
    '.',
    '..',
    '%2e',
    '%2f',
    '%',
    '%f',
    '%ff',
    'notes',
    ';',
    '?',
    '#',
    'x',
  );
  const anyTarget = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.array(piece, { maxLength: 30 }).map((pieces) => `/${pieces.join('')}`),
  );

  it('gives an answer to any target, and the same for one below it', () => {
    fc.assert(
      fc.property(anyTarget, (target) => {
        const found = find(target);
        expect([undefined, NOTES, V1]).toContain(found);
        if (found !== undefined && !/[?#]|\.|%2e/i.test(target)) expect(find(`${target}/below`)).toBe(found);
      }),
      { numRuns: 2000 },
    );
  });

  it('finds a path with whatever is added that no router minds', () => {
    const added = fc.constantFrom('/', '//', '\\', '/./', '/x/../', '/%2e/', '/a/b/../../', '%2f');
    const below = fc.oneof(
      fc.constant(''),
      fc.constantFrom('/', '?x', '#', '#/x', ';v', '/%', '%2F', '/x', '\\x'),
    );
    fc.assert(
      fc.property(added, below, fc.boolean(), (before, after, isUpper) => {
        const target = `/${before}notes${after}`;
        expect(find(isUpper ? target.toUpperCase() : target)).toBe(NOTES);
      }),
    );
  });

  verifies(
    'WAY-45',
    'remembers other paths, except those of long targets, which they would keep in memory',
    () => {
      const paths = pathsOf(NOTES);
      const remembered = () => [...(Reflect.get(paths, 'others') as Set<string>)];
      const query = '?'.padEnd(200 - '/other'.length, 'q');
      for (const target of [`/other${query}q`, `/${'x'.repeat(200)}`, `http://${'h'.repeat(200)}/other`])
        expect(paths.find(target)).toBeUndefined();
      expect(remembered()).toEqual([]);
      expect(paths.find(`/other${query}`)).toBeUndefined();
      expect(remembered()).toEqual(['/other']);
      // A long target is still found, and is no other one for a remembered path.
      expect(paths.find(`/other${query}q`)).toBeUndefined();
      expect(paths.find(`/notes${query}q`)?.options.resource).toBe(NOTES);
    },
  );

  it('takes linear time', () => {
    const many = 16_000;
    for (const part of [
      '/',
      '/.',
      '/..',
      '/x',
      '%2e',
      '%',
      '\\',
      ';',
      '/;',
      '/x/..',
      '%ff',
      '?',
      '#',
      'a:',
      '//',
    ]) {
      const target = `/${part.repeat(many / part.length)}`;
      const times = [1, 2, 3].map(() => {
        const start = performance.now();
        find(target);
        return performance.now() - start;
      });
      expect({ part, isFast: Math.min(...times) < 20 }).toEqual({ part, isFast: true });
    }
  });
});
