import { Injectable, type Provider, Scope } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { Test } from '@nestjs/testing';
import { describe, expect, it } from 'vitest';
import { listing } from '../../test/fixtures/config-problems.js';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { ProtectedResourceRegistry } from '../resource/protected-resource.registry.js';
import type { DeclaredHandler } from '../mcp/handler-scope.registry.js';
import { type McpDeclaration, McpHandlerSource } from '../mcp/handler-source.js';
import { HandlerSources } from './handler-sources.js';

const RESOURCES = [
  { options: { name: 'notes', resource: 'https://api.example.com/notes', anonymousMethods: [] } },
  { options: { resource: 'https://api.example.com/admin', anonymousMethods: [] } },
];

/** What sources of an application declare. */
function declared(...providers: Provider[]): Promise<readonly DeclaredHandler[]> {
  return declaredAt(RESOURCES, ...providers);
}

async function declaredAt(
  known: readonly object[],
  ...providers: Provider[]
): Promise<readonly DeclaredHandler[]> {
  const resources = { provide: ProtectedResourceRegistry, useValue: { all: () => known } };
  const module = await Test.createTestingModule({
    imports: [DiscoveryModule],
    providers: [HandlerSources, resources, ...providers],
  }).compile();
  return module.get(HandlerSources).declarations();
}

/** A source that gives this, whatever its type. */
function giving(given: unknown): McpHandlerSource {
  class Notes extends McpHandlerSource {
    declarations(): readonly McpDeclaration[] {
      return given as readonly McpDeclaration[];
    }
  }
  return new Notes();
}

const PURGE = { kind: 'tool', name: 'purge', requirements: ['notes:write'] } as const;

@Injectable()
class PurgeSource extends McpHandlerSource {
  declarations() {
    return [PURGE];
  }
}

async function rejection(...providers: Provider[]): Promise<string> {
  const error: unknown = await declared(...providers).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(McpAuthConfigError);
  return (error as Error).message;
}

const rejectionOf = (given: unknown): Promise<string> => rejection({ provide: 'a', useValue: giving(given) });

describe('HandlerSources', () => {
  it('finds none where there are none', async () => {
    expect(await declared({ provide: 'a', useValue: { declarations: () => [PURGE] } })).toEqual([]);
  });

  it('finds classes, values and factories, each once', async () => {
    const other = { kind: 'prompt', name: 'greet', requirements: [] };
    const found = await declared(
      PurgeSource,
      { provide: 'alias', useExisting: PurgeSource },
      { provide: 'value', useValue: giving([other]) },
      { provide: 'factory', useFactory: async () => Promise.resolve(giving([{ ...other, name: 'late' }])) },
    );
    expect(found).toHaveLength(3);
    expect(found).toEqual(
      expect.arrayContaining([PURGE, other, { kind: 'prompt', name: 'late', requirements: [] }]),
    );
  });

  it('keeps what was declared, whatever a source does to it afterwards', async () => {
    const mine = { ...PURGE, requirements: ['notes:write'] };
    const found = await declared({ provide: 'a', useValue: giving([mine]) });
    mine.requirements.length = 0;
    expect(found).toEqual([PURGE]);
  });

  verifies(
    'CLI-22',
    'opens a handler to anonymous callers by true, and not beside requirements',
    async () => {
      const open = { kind: 'tool', name: 'open', requirements: [], allowAnonymous: true };
      expect(await declared({ provide: 'a', useValue: giving([open]) })).toEqual([open]);
      const where = 'Notes.declarations()[0].allowAnonymous';
      expect(await rejectionOf([{ ...open, allowAnonymous: 'yes' }])).toBe(
        listing(`${where}: must be true or false`),
      );
      expect(await rejectionOf([{ ...PURGE, allowAnonymous: true }])).toBe(
        listing(`${where}: cannot be true with requirements, which need a token; keep one of them`),
      );
    },
  );

  verifies(
    'CLI-30',
    'opens a handler at a resource that it names, where one of several has anonymousMethods',
    async () => {
      const [notes, admin] = RESOURCES.map(({ options }) => ({
        options: { ...options, anonymousMethods: ['ping'] },
      }));
      const open = { kind: 'tool', name: 'open', requirements: [], allowAnonymous: true };
      const at = (known: readonly (object | undefined)[], given: object) =>
        declaredAt(known as object[], { provide: 'a', useValue: giving([given]) });
      for (const known of [
        [notes, RESOURCES[1]],
        [RESOURCES[0], admin],
      ]) {
        const rejected: unknown = await at(known, open).catch((error: unknown) => error);
        expect((rejected as Error).message).toBe(
          listing(
            'Notes.declarations()[0].resource: must be there beside "allowAnonymous", because there are several resources and ' +
              'one has "anonymousMethods"; declare the handler once for each resource that serves it, with one of "notes", ' +
              '"https://api.example.com/notes", "https://api.example.com/admin"',
          ),
        );
        for (const each of [
          { ...open, resource: 'notes' },
          { ...open, allowAnonymous: false },
          { ...open, allowAnonymous: undefined },
        ])
          expect(await at(known, each)).toEqual([each]);
      }
      for (const known of [[notes], RESOURCES]) expect(await at(known, open)).toEqual([open]);
    },
  );

  it('takes every kind of requirement, a resource by name or identifier, and none', async () => {
    const requirements = ['a', { anyOf: ['b', 'c'] }, () => []];
    for (const resource of ['notes', ...RESOURCES.map(({ options }) => options.resource), undefined]) {
      const given = [{ kind: 'resource', name: 'note://{id}', requirements, resource }];
      expect(await declared({ provide: 'a', useValue: giving(given) })).toEqual(given);
    }
  });

  it.each([
    [undefined, 'declarations()', 'must return a list of declarations, and not a promise of one'],
    [
      Promise.resolve([PURGE]),
      'declarations()',
      'must return a list of declarations, and not a promise of one',
    ],
    [[null], 'declarations()[0]', 'must be an object'],
    [[PURGE, 'purge'], 'declarations()[1]', 'must be an object'],
    [[{ ...PURGE, kind: 'tools' }], 'declarations()[0].kind', 'must be one of tool, prompt, resource'],
    [[{ ...PURGE, kind: undefined }], 'declarations()[0].kind', 'must be one of tool, prompt, resource'],
    [[{ ...PURGE, kind: 'constructor' }], 'declarations()[0].kind', 'must be one of tool, prompt, resource'],
    [[{ ...PURGE, name: '' }], 'declarations()[0].name', 'must be a non-empty string'],
    [[{ ...PURGE, name: /x/ }], 'declarations()[0].name', 'must be a non-empty string'],
    [
      [{ ...PURGE, requirements: undefined }],
      'declarations()[0].requirements',
      'must be a list; write [] where a valid token suffices',
    ],
    [
      [{ ...PURGE, requirements: 'notes:write' }],
      'declarations()[0].requirements',
      'must be a list; write [] where a valid token suffices',
    ],
    [
      [{ ...PURGE, requirements: ['a', 'notes write'] }],
      'declarations()[0].requirements[1]',
      'must be one scope: printable ASCII without space, quote and backslash',
    ],
    [
      [{ ...PURGE, requirements: [{ anyOf: [] }] }],
      'declarations()[0].requirements[0]',
      'must be a scope, { anyOf: [...] } with at least one scope, or a function',
    ],
    [
      [{ ...PURGE, resource: 'note' }],
      'declarations()[0].resource',
      'names no configured resource; write one of "notes", "https://api.example.com/notes", "https://api.example.com/admin"',
    ],
    [
      [{ ...PURGE, resource: null }],
      'declarations()[0].resource',
      'names no configured resource; write one of "notes", "https://api.example.com/notes", "https://api.example.com/admin"',
    ],
  ])('rejects %j', async (given, where, message) => {
    expect(await rejectionOf(given)).toBe(listing(`Notes.${where}: ${message}`));
  });

  it('names all that is wrong in all sources', async () => {
    const sources = [giving([{ ...PURGE, kind: '', name: 7 }]), giving(7)];
    const providers = sources.map((useValue, index) => ({ provide: String(index), useValue }));
    expect(await rejection(...providers)).toBe(
      listing(
        'Notes.declarations()[0].kind: must be one of tool, prompt, resource',
        'Notes.declarations()[0].name: must be a non-empty string',
        'Notes.declarations(): must return a list of declarations, and not a promise of one',
      ),
    );
  });

  it.each([Scope.REQUEST, Scope.TRANSIENT])(
    'rejects a source that cannot be asked, of scope %s',
    async (scope) => {
      @Injectable({ scope })
      class Scoped extends PurgeSource {}
      expect(await rejection(Scoped)).toContain('Scoped: is request-scoped or transient');
    },
  );

  it('rejects a source that depends on the request', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class OfRequest {}
    @Injectable()
    class Depending extends PurgeSource {
      constructor(readonly given: OfRequest) {
        super();
      }
    }
    expect(await rejection(OfRequest, Depending)).toContain('Depending: is request-scoped or transient');
  });
});
