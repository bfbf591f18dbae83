import { describe, expect, it } from 'vitest';
import { registriesOf } from '../../test/fixtures/registries.js';
import { resolveOptions } from '../options/resolve-options.js';
import { ProtectedResourceRegistry } from './protected-resource.registry.js';
import { ResourcePaths } from './resource-paths.js';

function pathsOf(...identifiers: string[]): ResourcePaths {
  const options = resolveOptions({
    resources: identifiers.map((resource) => ({ resource, authorizationServers: ['https://as.example'] })),
  });
  return new ResourcePaths(new ProtectedResourceRegistry(options, registriesOf(options).servers));
}

const ROOT = 'https://api.example.com';
const NOTES = `${ROOT}/v1/notes`;
const OLD = `${ROOT}/v1/notes/Old%20ones`;

describe('ResourcePaths', () => {
  const found = (paths: ResourcePaths, target: string): string | undefined =>
    paths.find(target)?.options.resource;

  it.each([
    ['/v1/notes', NOTES],
    ['/v1/notes/', NOTES],
    ['/V1//Notes', NOTES],
    ['/v1\\notes', NOTES],
    ['/v1/notes;a=b/c?d', NOTES],
    ['/v1;x/notes#y', NOTES],
    ['/v1/notes%3Fa', NOTES],
    ['/%761/not%65s', NOTES],
    ['/%761/notes/%ff', NOTES],
    ['/a/../v1/./notes', NOTES],
    ['/a/..%2f..%2f..%2fv1/notes', NOTES],
    ['//host/v1/notes', NOTES],
    ['///host/a/../v1/notes', NOTES],
    ['https://elsewhere.example/v1/notes', NOTES],
    ['/v1/notes/../..', NOTES],
    ['/v1/notes/old ones', OLD],
    ['/v1/notes/OLD%20ones/1', OLD],
    ['/v1/notes/x/../old%20ones', OLD],
    ['/v1/notes/old', NOTES],
    ['/v1/note', undefined],
    ['/v1/notess', undefined],
    ['/v1', undefined],
    ['/', undefined],
    ['', undefined],
    ['*', undefined],
    ['/?/v1/notes', undefined],
    ['/#/v1/note', undefined],
    ['/%25761/notes', undefined],
    ['/a/v1/notes', undefined],
  ])('takes %s for %s', (target, expected) => {
    expect(found(pathsOf(NOTES, OLD), target)).toBe(expected);
  });

  it('has every path below a resource without one, except longer ones', () => {
    const paths = pathsOf(ROOT, NOTES);
    for (const target of ['/', '', '*', '/v1', '/x/../v1']) expect(found(paths, target)).toBe(ROOT);
    for (const target of ['/v1/notes', '/x/../v1/notes', '//x/v1/notes']) {
      expect(found(paths, target)).toBe(NOTES);
    }
  });

  it('does not decide between resources that differ by their hosts', () => {
    const other = 'https://other.example/v1/Notes/';
    const paths = pathsOf(ROOT, NOTES, other);
    expect(found(paths, '/v1/notes')).toBeUndefined();
    expect(found(paths, '/v1/note')).toBe(ROOT);
    expect(paths.problems()).toHaveLength(1);
  });

  it.each([
    ['/.well-known/x', true],
    ['/.well-known/oauth-protected-resource/v1/notes?a', true],
    ['/.well-known/..', false],
    ['/.well-known/./x', false],
    ['/.well-known/a/%2E%2e/%2e./v1/notes', false],
    ['/.well-known\\..\\v1\\notes', false],
    ['/.well-known/..\\v1\\notes', false],
    ['/.well-known/%zz/%2e%2e/x', false],
    ['//.well-known/x', false],
    ['/.well-known', false],
    ['/.well-knownx/', false],
    ['/x/.well-known/', false],
  ])('tells whether %s is well-known: %s', (target, expected) => {
    expect(pathsOf(NOTES).isWellKnown(target)).toBe(expected);
  });
});
