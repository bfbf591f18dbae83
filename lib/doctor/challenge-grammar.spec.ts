import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { parameterOf, parseChallenges } from './challenge-grammar.js';

describe('parseChallenges', () => {
  verifies('DOC-17', 'reads schemes, tokens, quoted strings and several challenges', () => {
    const challenge = (scheme: string, ...parameters: [string, string][]) => ({
      scheme,
      parameters: parameters.map(([name, value]) => ({ name, value })),
    });
    const cases: [string, ReturnType<typeof challenge>[]][] = [
      ['Bearer', [challenge('Bearer')]],
      ['Bearer realm="x"', [challenge('Bearer', ['realm', 'x'])]],
      [
        'Bearer realm="x", error=invalid_token',
        [challenge('Bearer', ['realm', 'x'], ['error', 'invalid_token'])],
      ],
      ['Bearer  REALM = "x" ,, scope="a b"', [challenge('Bearer', ['realm', 'x'], ['scope', 'a b'])]],
      [
        String.raw`Bearer realm="a \"b\", c\\d=e"`,
        [challenge('Bearer', ['realm', String.raw`a "b", c\d=e`])],
      ],
      ['Bearer realm=""', [challenge('Bearer', ['realm', ''])]],
      ['Negotiate, Bearer realm="x"', [challenge('Negotiate'), challenge('Bearer', ['realm', 'x'])]],
      ['Bearer realm=', [challenge('Bearer')]],
      ['Negotiate a6Y/==, Bearer', [challenge('Negotiate'), challenge('Bearer')]],
      ['Basic realm="x", Bearer a=b', [challenge('Basic', ['realm', 'x']), challenge('Bearer', ['a', 'b'])]],
      [', ,Bearer ,', [challenge('Bearer')]],
      ['', []],
    ];
    for (const [line, expected] of cases) expect([line, parseChallenges(line)]).toEqual([line, expected]);
  });

  verifies('DOC-17', 'says where a line does not match the grammar', () => {
    const cases: [string, string][] = [
      ['Bearer scope=notes:read', 'expected a comma at character 19'],
      ['Bearer realm="x" scope="y"', 'expected a comma at character 18'],
      ['Bearer a=b, realm=', 'expected a token or a quoted string at character 19'],
      ['Bearer realm="x', 'expected a token or a quoted string at character 14'],
      ['Bearer realm="\u0000"', 'expected a token or a quoted string at character 14'],
      ['Bearer realm="x", "y"', 'expected a scheme or the name of a parameter at character 19'],
      ['"Bearer"', 'expected a scheme or the name of a parameter at character 1'],
      ['Bearer; realm="x"', 'expected a comma at character 7'],
    ];
    for (const [line, problem] of cases) {
      expect([line, parseChallenges(line)]).toMatchObject([line, { problem }]);
    }
  });

  it('reads a long line in linear time', () => {
    for (const part of ['"', 'a=', ',', 'a ', '\\']) {
      const start = performance.now();
      parseChallenges(`Bearer a="${part.repeat(200_000)}`);
      expect(performance.now() - start).toBeLessThan(2000);
    }
  });

  it('returns the first parameter with a name', () => {
    const [bearer] = parseChallenges('Bearer scope="a", scope="b"') as [never];
    expect([
      parameterOf(bearer, 'scope'),
      parameterOf(bearer, 'realm'),
      parameterOf(undefined, 'scope'),
    ]).toEqual([...['a', undefined, undefined]]);
  });
});
