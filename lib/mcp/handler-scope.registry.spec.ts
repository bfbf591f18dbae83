import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import type { AuthorizationServerRegistry } from '../authorization-server/authorization-server.registry.js';
import type { McpAuthModuleOptions } from '../options/mcp-auth-options.js';
import { resolveOptions } from '../options/resolve-options.js';
import { ProtectedResourceRegistry } from '../resource/protected-resource.registry.js';
import { type DeclaredHandler, HandlerScopeRegistry } from './handler-scope.registry.js';
import type { McpOperationKind } from './operations.js';

const AS = 'https://as.example';
const NOTES = { name: 'notes', resource: 'https://api.example.com/notes', authorizationServers: [AS] };
const ADMIN = { name: 'admin', resource: 'https://api.example.com/admin', authorizationServers: [AS] };

/** No document is looked at, so no server is asked. */
const NO_SERVERS = { of: () => new Map() } as unknown as AuthorizationServerRegistry;

function registry(...resources: (typeof NOTES)[]) {
  return registryOf({ resources });
}

function registryOf(given: McpAuthModuleOptions) {
  const options = resolveOptions(given);
  const known = new ProtectedResourceRegistry(options, NO_SERVERS);
  return { known, scopes: new HandlerScopeRegistry(known, options) };
}

const declaration = (
  kind: McpOperationKind,
  name: string,
  ...requirements: DeclaredHandler['requirements']
): DeclaredHandler => ({ kind, name, requirements });

const asked = (kind: McpOperationKind, name: string) => ({ kind, name, method: '', arguments: {} });

describe('HandlerScopeRegistry', () => {
  const { scopes } = registry(NOTES);
  scopes.register([
    declaration('tool', 'purge', 'a'),
    declaration('tool', 'purge', 'b'),
    declaration('prompt', 'greet', 'c'),
    declaration('resource', 'note://{id}', 'd'),
    declaration('resource', 'note://public', 'e'),
    declaration('tool', 'open'),
  ]);

  it('adds up what several servers ask for one name', () => {
    expect(scopes.requirementsOf(asked('tool', 'purge'))).toEqual(['a', 'b']);
    expect(scopes.requirementsOf(asked('resource', 'note://public'))).toEqual(['d', 'e']);
    expect(scopes.requirementsOf(asked('resource', 'note://1'))).toEqual(['d']);
    expect(scopes.requirementsOf(asked('resource', 'note://{id}'))).toEqual(['d']);
    expect(scopes.requirementsOf(asked('prompt', 'greet'))).toEqual(['c']);
  });

  it('knows which requirements are among those of an operation', () => {
    const { scopes: own } = registry(NOTES);
    const [one, shared] = [['a', 'b'], ['c']];
    own.register([
      declaration('tool', 'open'),
      { kind: 'tool', name: 'one', requirements: one },
      { kind: 'tool', name: 'two', requirements: shared },
      { kind: 'tool', name: 'two', requirements: one },
    ]);
    const asks = (name: string, requirements: readonly string[]): boolean =>
      own.requires(asked('tool', name), requirements);
    for (const requirements of [one, ['b', 'a'], ['b'], []]) expect(asks('one', requirements)).toBe(true);
    for (const requirements of [['a', 'b', 'c'], shared, ['A']])
      expect(asks('one', requirements)).toBe(false);
    for (const requirements of [one, shared, ['a', 'c']]) expect(asks('two', requirements)).toBe(true);
    expect([asks('open', []), asks('open', one), asks('unknown', one)]).toEqual([true, false, false]);
    expect(own.requires({ ...asked('tool', 'one'), kind: 'route' }, one)).toBe(false);
    expect([one, shared]).toEqual([['a', 'b'], ['c']]);
  });

  verifies('CLI-22', 'opens an operation to anonymous callers only if all of its handlers do', () => {
    const { scopes: own, known } = registry(NOTES);
    const open = (kind: McpOperationKind, name: string, allowAnonymous?: boolean): DeclaredHandler => ({
      ...declaration(kind, name),
      allowAnonymous,
    });
    own.register([
      open('tool', 'open', true),
      open('tool', 'shared', true),
      open('tool', 'shared', false),
      open('tool', 'shared', true),
      open('tool', 'closed'),
      open('prompt', 'greet', true),
      open('resource', 'note://{id}', true),
      open('resource', 'note://secret', false),
      open('resource', 'board://front', true),
    ]);
    const opened = (kind: McpOperationKind, names: string[]): string[] =>
      names.filter((name) => own.allowsAnonymous({ kind, name }, known.first()));
    const tools = ['open', 'shared', 'closed', 'Open', 'greet', '__proto__', 'constructor', ''];
    expect(opened('tool', tools)).toEqual(['open']);
    expect(opened('prompt', ['greet', 'open'])).toEqual(['greet']);
    const uris = ['note://1', 'note://secret', 'note://{id}', 'board://front', 'board://back', ''];
    expect(opened('resource', uris)).toEqual(['note://1', 'board://front']);
  });

  verifies('CLI-22', 'opens an operation only at the resource that its declaration names', () => {
    const { scopes: two, known } = registry(NOTES, ADMIN);
    const open = (kind: McpOperationKind, name: string, resource?: string): DeclaredHandler => ({
      ...declaration(kind, name),
      resource,
      allowAnonymous: true,
    });
    two.register([
      open('tool', 'list', 'notes'),
      open('tool', 'both', 'notes'),
      open('tool', 'both', ADMIN.resource),
      open('tool', 'nowhere'),
      open('tool', 'shut', 'notes'),
      { ...declaration('tool', 'shut'), resource: 'admin' },
      open('prompt', 'greet', 'admin'),
      open('resource', 'note://{id}', 'notes'),
      open('resource', 'note://front', 'admin'),
    ]);
    const opened = (kind: McpOperationKind, names: string[]) =>
      known.all().map((resource) => names.filter((name) => two.allowsAnonymous({ kind, name }, resource)));
    expect(opened('tool', ['list', 'both', 'nowhere', 'shut', 'greet'])).toEqual([
      ['list', 'both'],
      ['both'],
    ]);
    expect(opened('prompt', ['greet', 'list'])).toEqual([[], ['greet']]);
    expect(opened('resource', ['note://1', 'note://front', 'note://a/b'])).toEqual([
      ['note://1', 'note://front'],
      ['note://front'],
    ]);
    const access = (name: string) =>
      known.all().map((resource) => two.anonymousAccess({ kind: 'tool', name }, resource));
    const [closed, ready] = [
      { isGuarded: false, isOptional: false, isOpen: false },
      { isGuarded: false, isOptional: true, isOpen: true },
    ];
    expect(access('list')).toEqual([ready, closed]);
    expect(access('shut')).toEqual([closed, closed]);
    // It says that sign-in is optional wherever something else opens it.
    expect(access('nowhere')).toEqual([
      { ...closed, isOptional: true },
      { ...closed, isOptional: true },
    ]);
  });

  verifies('SCP-23', 'takes a template for open where a list names it, if URIs of its form are', () => {
    const { scopes: own, known } = registry(NOTES);
    const templates = ['x://note/{id}', 'x://log/{+path}', 'x://shut/{id}', 'x://mixed/{id}'];
    own.register([
      ...templates.map((name) => ({
        ...declaration('resource', name),
        allowAnonymous: !name.includes('shut'),
      })),
      declaration('resource', 'x://mixed/{+rest}'),
    ]);
    const isOpen = (name: string) => own.anonymousAccess({ kind: 'resource', name }, known.first()).isOpen;
    expect(templates.filter(isOpen)).toEqual(['x://note/{id}']);
    const uris = ['x://note/1', 'x://note/{other}', 'x://note/', 'x://log/1', 'x://shut/1', 'x://mixed/1'];
    expect(uris.filter(isOpen)).toEqual(['x://note/1']);
    // A request is for a URI.
    const asked = { kind: 'resource', name: 'x://note/{id}' } as const;
    expect(own.allowsAnonymous(asked, known.first())).toBe(false);
  });

  verifies('SCP-24', 'knows no other names, nor those of another kind', () => {
    const tools = ['Purge', 'purge ', '', '__proto__', 'constructor', 'toString', 'hasOwnProperty', 'greet'];
    for (const name of tools) {
      expect([name, scopes.requirementsOf(asked('tool', name))]).toEqual([name, []]);
    }
    expect(scopes.requirementsOf(asked('prompt', 'purge'))).toEqual([]);
  });

  it('lets the only resource advertise what handlers ask for, or the one that is named', () => {
    const one = registry(NOTES);
    one.scopes.register([declaration('tool', 'purge', 'a', { anyOf: ['b', 'c'] }, () => ['d'])]);
    one.known.publish();
    expect(one.known.scopesOf(one.known.first())).toEqual(['a', 'b', 'c']);

    const two = registry(NOTES, ADMIN);
    two.scopes.register([
      { ...declaration('tool', 'purge', 'a'), resource: 'admin' },
      declaration('tool', 'whose', 'b'),
    ]);
    two.known.publish();
    expect(two.known.all().map((each) => two.known.scopesOf(each))).toEqual([[], ['a']]);
    expect(two.scopes.requirementsOf(asked('tool', 'whose'))).toEqual(['b']);
    const unknown = { ...declaration('tool', 'purge', 'a'), resource: 'other' };
    expect(() => {
      two.scopes.register([unknown]);
    }).toThrow(McpAuthConfigError);
  });

  it('needs bodies where handlers with scopes have no guard of their own', () => {
    const { scopes: fresh } = registryOf({ resources: NOTES, undeclaredTools: 'allow' });
    fresh.register([declaration('tool', 'purge', 'a')]);
    expect(fresh.needsBodies).toBe(false);
    fresh.registerUnguarded([declaration('tool', 'open')]);
    expect(fresh.needsBodies).toBe(false);
    fresh.registerUnguarded([declaration('tool', 'erase', 'a')]);
    fresh.registerUnguarded([]);
    expect(fresh.needsBodies).toBe(true);
    expect(fresh.requirementsOf(asked('tool', 'erase'))).toEqual(['a']);
  });

  verifies('WAY-11', 'needs bodies, and denies other tools, once a source declares anything', () => {
    for (const kind of ['tool', 'prompt', 'resource'] as const) {
      const { scopes: fresh } = registry(NOTES);
      fresh.register([declaration('tool', 'purge', 'a')]);
      fresh.registerUnguarded([]);
      expect([fresh.needsBodies, fresh.isDeclared(asked('tool', 'x'))]).toEqual([false, true]);
      fresh.registerUnguarded([declaration(kind, 'note')]);
      expect([fresh.needsBodies, fresh.isDeclared(asked('tool', 'x'))]).toEqual([true, false]);
      expect([fresh.isDeclared(asked('tool', 'purge')), fresh.isDeclared(asked('prompt', 'x'))]).toEqual([
        true,
        true,
      ]);
    }
  });

  it('decides on bodies once anything is declared', () => {
    for (const kind of ['tool', 'prompt', 'resource'] as const) {
      const { scopes: fresh } = registry(NOTES);
      expect(fresh.decides).toBe(false);
      fresh.register([declaration(kind, 'x')]);
      expect(fresh.decides).toBe(true);
    }
  });

  verifies(
    'SCP-25',
    'admits undeclared tools unless they are denied, and then those that are declared',
    () => {
      const { scopes: open } = registry(NOTES);
      expect(open.isDeclared(asked('tool', 'unknown'))).toBe(true);
      const { scopes: closed } = registryOf({ resources: NOTES, undeclaredTools: 'deny' });
      expect([closed.decides, closed.needsBodies]).toEqual([true, true]);
      closed.register([declaration('tool', 'open'), declaration('prompt', 'greet', 'a')]);
      expect(closed.isDeclared(asked('tool', 'open'))).toBe(true);
      for (const name of ['Open', 'open ', '', 'greet', 'constructor', '__proto__']) {
        expect([name, closed.isDeclared(asked('tool', name))]).toEqual([name, false]);
      }
      expect(closed.isDeclared(asked('prompt', 'unknown'))).toBe(true);
      expect(closed.isDeclared(asked('resource', 'unknown'))).toBe(true);
    },
  );
});
