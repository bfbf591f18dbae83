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
  ProtectedResourceOptions: { given: ofResource, resolved: (all) => all.resources[0] },
  AuthorizationServerBaseOptions: { given: ofServer, resolved: server },
  AnyAuthorizationServerOptions: { given: ofServer, resolved: server },
  RemoteJwkSetOptions: {
    given: (own) => ofServer({ remoteJwkSet: own }),
    resolved: (all) => server(all)?.remoteJwkSet,
  },
  IntrospectionOptions: { given: ofIntrospection, resolved: (all) => server(all)?.introspection },
  IntrospectionCacheOptions: {
    given: (own) => ofIntrospection({ cache: own }),
    resolved: (all) => server(all)?.introspection?.cache,
  },
};

interface Row {
  readonly section: string;
  readonly name: string;
  readonly type: string;
  readonly byDefault: string;
}

/** The rows of the tables of a page, with the heading above them. */
function rowsOf(page: string): readonly Row[] {
  const text = readFileSync(new URL(`../../${page}`, import.meta.url), 'utf8');
  return text.split(/^## /m).flatMap((part) =>
    part
      .split('\n')
      .filter((line) => /^\| \[?`/.test(line))
      .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
      .map(([, first = '', type = '', byDefault = '']) => ({
        section: part.slice(0, part.indexOf('\n')),
        name: /`([^`]+)`/.exec(first)?.[1] ?? '',
        type,
        byDefault,
      })),
  );
}

const LITERAL = /^(?:\d+|true|false|'[^']*')$/;
const valueOf = (literal: string): unknown => JSON.parse(literal.replaceAll("'", '"'));

describe('OPTIONS.md', () => {
  const rows = rowsOf('OPTIONS.md').filter(({ section }) => section in PLACES);
  const withDefault = rows.filter(({ byDefault }) => LITERAL.test(byDefault));
  const ranges = rows.flatMap((row) => {
    const [, least, most] = /, (\d+) to (\d+)$/.exec(row.type) ?? [];
    return least === undefined ? [] : [{ ...row, least: Number(least), most: Number(most) }];
  });

  it('has defaults and ranges to compare', () => {
    expect(withDefault.length).toBeGreaterThan(30);
    expect(ranges.length).toBeGreaterThan(15);
    expect(new Set(rows.map(({ section }) => section))).toEqual(new Set(Object.keys(PLACES)));
  });

  it.each(withDefault)('says the default of $section $name', ({ section, name, byDefault }) => {
    const { given, resolved } = PLACES[section]!;
    expect(resolved(resolveOptions(given({})))).toMatchObject({ [name]: valueOf(byDefault) });
  });

  it.each(ranges)('says the range of $section $name', ({ section, name, least, most }) => {
    const { given, resolved } = PLACES[section]!;
    for (const value of [least, most]) {
      expect(resolved(resolveOptions(given({ [name]: value })))).toMatchObject({ [name]: value });
    }
    for (const value of [least - 1, most + 1]) {
      expect(() => resolveOptions(given({ [name]: value }))).toThrow(McpAuthConfigError);
      expect(() => resolveOptions(given({ [name]: value }))).toThrow(name);
    }
  });
});

it('README.md says the same defaults', () => {
  const all = rowsOf('OPTIONS.md');
  const table = rowsOf('README.md').filter(({ section }) => section === 'Options');
  expect(table.length).toBeGreaterThan(10);
  for (const { name, byDefault } of table) {
    const inPage = all.filter((row) => row.name === name).map((row) => row.byDefault.replaceAll(/[*']/g, ''));
    expect(inPage, name).not.toEqual([]);
    const isPlain = /^(`.*`|required|none|true|false)$/.test(byDefault);
    if (isPlain)
      expect(
        inPage.map((each) => each.split(':')[0]),
        name,
      ).toContain(byDefault.replaceAll('`', ''));
  }
});
