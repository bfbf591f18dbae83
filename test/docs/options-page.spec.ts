import { readFileSync } from 'node:fs';
import { McpAuthConfigError } from 'nestjs-mcp-auth';
import { describe, expect, it } from 'vitest';
import { resolveOptions } from '../../lib/options/resolve-options.js';

const ISSUER = 'https://auth.example.com';

/** Where the options of a section stand, in what is given and in what becomes of it. */
interface Place {
  readonly given: (options: object) => object;
  readonly resolved: (options: ReturnType<typeof resolveOptions>) => object | undefined;
}

const ofResource = (options: object): object => ({
  resources: { resource: 'https://api.example.com/notes', authorizationServers: [ISSUER], ...options },
});
const ofServer = (options: object): object =>
  ofResource({ authorizationServers: [{ issuer: ISSUER, ...options }] });
const ofIntrospection = (options: object): object =>
  ofServer({ introspection: { clientId: 'notes', ...options } });
const server = (options: ReturnType<typeof resolveOptions>) => options.resources[0]?.authorizationServers[0];

const PLACES: Readonly<Record<string, Place>> = {
  McpAuthModuleOptions: { given: (own) => ({ ...ofResource({}), ...own }), resolved: (all) => all },
  TokenCacheOptions: {
    given: (own) => ({ ...ofResource({}), tokenCache: own }),
    resolved: (all) => all.tokenCache,
  },
  SessionBindingOptions: {
    given: (own) => ({ ...ofResource({}), sessionBinding: own }),
    resolved: (all) => all.sessionBinding,
  },
  DpopOptions: {
    given: (own) => ofResource({ dpop: { mode: 'allowed', ...own } }),
    resolved: (all) => all.resources[0]?.dpop,
  },
  ApiKeyOptions: {
    given: (own) => ofResource({ apiKeys: { verifier: () => null, issuer: 'urn:example:keys', ...own } }),
    resolved: (all) => all.resources[0]?.apiKeys,
  },
  ProtectedResourceOptions: { given: ofResource, resolved: (all) => all.resources[0] },
  AuthorizationServerBaseOptions: { given: ofServer, resolved: server },
  AnyAuthorizationServerOptions: { given: ofServer, resolved: server },
  RemoteJwkSetOptions: {
    given: (own) => ofServer({ remoteJwkSet: own }),
    resolved: (all) => server(all)?.remoteJwkSet,
  },
  OneTimeTokenOptions: {
    given: (own) => ofServer({ oneTimeTokens: own }),
    resolved: (all) => server(all)?.oneTimeTokens,
  },
  IntrospectionOptions: { given: ofIntrospection, resolved: (all) => server(all)?.introspection },
  IntrospectionCacheOptions: {
    given: (own) => ofIntrospection({ cache: own }),
    resolved: (all) => server(all)?.introspection?.cache,
  },
};

interface Option {
  readonly group: string;
  readonly name: string;
  readonly type: string;
  readonly range: string;
  readonly byDefault: string;
}

const read = (page: string): string => readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');

/** The options of the page, with the heading above them. */
function optionsOf(text: string): readonly Option[] {
  return text.split(/^## /m).flatMap((group) =>
    group
      .split(/^### /m)
      .slice(1)
      .filter((section) => section.includes('\n- Type: '))
      .map((section) => {
        const fact = (name: string): string =>
          new RegExp(`^- ${name}: ((?:.|\n  )*)$`, 'm').exec(section)?.[1]?.replaceAll(/\s+/g, ' ') ?? '';
        return {
          group: group.slice(0, group.indexOf('\n')),
          name: section.slice(0, section.indexOf('\n')),
          type: fact('Type'),
          range: fact('Range'),
          byDefault: /^- Required$/m.test(section) ? 'required' : fact('Default').replaceAll('`', ''),
        };
      }),
  );
}

const LITERAL = /^(?:\d+|true|false|'[^']*')$/;
/** Options that are off resolve to nothing. */
const OFF: readonly string[] = [
  'ProtectedResourceOptions dpop',
  'AuthorizationServerBaseOptions oneTimeTokens',
];
const valueOf = (literal: string): unknown => JSON.parse(literal.replaceAll("'", '"'));

describe('docs/reference/options.md', () => {
  const options = optionsOf(read('docs/reference/options.md')).filter(({ group }) => group in PLACES);
  const withDefault = options.filter(({ byDefault }) => LITERAL.test(byDefault));
  const ranges = options.flatMap((option) => {
    const [, least, most] = /^(\d+) to (\d+)$/.exec(option.range) ?? [];
    return least === undefined ? [] : [{ ...option, least: Number(least), most: Number(most) }];
  });

  it('has defaults and ranges to compare', () => {
    expect(withDefault.length).toBeGreaterThan(30);
    expect(ranges.length).toBeGreaterThan(15);
    expect(new Set(options.map(({ group }) => group))).toEqual(new Set(Object.keys(PLACES)));
  });

  it.each(withDefault)('says the default of $group $name', ({ group, name, byDefault }) => {
    const { given, resolved } = PLACES[group]!;
    const value = OFF.includes(`${group} ${name}`) ? undefined : valueOf(byDefault);
    expect(resolved(resolveOptions(given({})))).toMatchObject({ [name]: value });
  });

  it.each(ranges)('says the range of $group $name', ({ group, name, least, most }) => {
    const { given, resolved } = PLACES[group]!;
    for (const value of [least, most]) {
      expect(resolved(resolveOptions(given({ [name]: value })))).toMatchObject({ [name]: value });
    }
    for (const value of [least - 1, most + 1]) {
      expect(() => resolveOptions(given({ [name]: value }))).toThrow(McpAuthConfigError);
      expect(() => resolveOptions(given({ [name]: value }))).toThrow(name);
    }
  });
});
