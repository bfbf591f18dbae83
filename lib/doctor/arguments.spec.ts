import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { type DoctorOptions, parseCommand } from './arguments.js';

const URL = 'https://api.example.com/mcp';

function optionsOf(...argv: string[]): DoctorOptions {
  const command = parseCommand(['doctor', URL, ...argv], {});
  if (command.name !== 'doctor') throw new Error(command.name);
  return command.options;
}

describe('parseCommand', () => {
  it('has a default for each option', () => {
    expect(optionsOf()).toEqual({
      url: URL,
      token: undefined,
      headers: {},
      caFile: undefined,
      timeoutMs: 10_000,
      origin: undefined,
      isJson: false,
      isStrict: false,
      login: undefined,
    });
  });

  it('reads each option', () => {
    const general = ['--token', 'Bearer abc', '--header', 'X-A: 1', '--header', 'X-B:2', '--ca', 'ca.pem'];
    const more = ['--timeout', '2.5', '--origin', 'https://app.example.com', '--json', '--strict'];
    expect(optionsOf(...general, ...more)).toMatchObject({
      token: 'abc',
      headers: { 'x-a': '1', 'x-b': '2' },
      caFile: 'ca.pem',
      timeoutMs: 2500,
      origin: 'https://app.example.com',
      isJson: true,
      isStrict: true,
    });
    const login = ['--login', '--client-id', 'c', '--client-metadata', 'https://c.example/c', '--no-open'];
    expect(
      optionsOf(...login, '--callback-port', '8080', '--call', 't', '--arguments', '{"a":1}').login,
    ).toEqual({
      clientId: 'c',
      clientMetadataUrl: 'https://c.example/c',
      callbackPort: 8080,
      opensBrowser: false,
      call: { tool: 't', arguments: { a: 1 } },
    });
    expect(optionsOf('--login').login).toEqual({
      clientId: undefined,
      clientMetadataUrl: undefined,
      callbackPort: 0,
      opensBrowser: true,
      call: undefined,
    });
  });

  it('prefers the token of the option to that of the environment', () => {
    const tokenOf = (...argv: string[]) => {
      const command = parseCommand(['doctor', URL, ...argv], { MCP_TOKEN: 'environment' });
      return command.name === 'doctor' ? command.options.token : command.name;
    };
    expect([tokenOf(), tokenOf('--token', 'option'), tokenOf('--token', '-')]).toEqual([
      ...['environment', 'option', '-'],
    ]);
    expect(tokenOf('--token', '')).toBe(undefined);
  });

  it('knows when to print help or version', () => {
    const nameOf = (...argv: string[]) => parseCommand(argv, {}).name;
    expect([nameOf(), nameOf('-h'), nameOf('doctor', '--help'), nameOf('-v')]).toEqual([
      ...['help', 'help', 'help', 'version'],
    ]);
  });

  verifies('DOC-18', 'names the option that is wrong, and not its value', () => {
    const secret = 'hunter2 hunter2';
    const cases: [string[], string][] = [
      [['examine', URL], 'The command is: nestjs-mcp-auth doctor URL'],
      [['doctor'], 'The command is: nestjs-mcp-auth doctor URL'],
      [['doctor', URL, URL], 'The command is: nestjs-mcp-auth doctor URL'],
      [['doctor', URL, '--tokens', secret], "Unknown option '--tokens'"],
      [['doctor', URL, '--token', secret], 'The token is empty, or has characters that a token cannot have.'],
      [['doctor', URL, '--header', 'hunter2'], "Write a header as 'Name: value'."],
      [['doctor', URL, '--header', `X: hunter2\r\nY: z`], "Write a header as 'Name: value'."],
      [
        ['doctor', URL, '--header', 'Authorization: Bearer hunter2'],
        'The doctor sets the header Authorization itself. Give a token by --token.',
      ],
      [['doctor', URL, '--timeout', '0'], '--timeout is a number of seconds, at most 300.'],
      [['doctor', URL, '--timeout', 'soon'], '--timeout is a number of seconds, at most 300.'],
      [['doctor', URL, '--call', 'x'], '--call needs --login.'],
      [['doctor', URL, '--login', '--arguments', '{}'], '--arguments needs --call.'],
      [['doctor', URL, '--login', '--call', 'x', '--arguments', '[hunter2'], '--arguments is a JSON object.'],
      [['doctor', URL, '--login', '--call', 'x', '--arguments', '[1]'], '--arguments is a JSON object.'],
      [['doctor', URL, '--login', '--callback-port', '70000'], '--callback-port is a port.'],
      [
        ['doctor', URL, '--origin', `${URL}/`],
        '--origin is an origin without a path, such as https://app.example.com',
      ],
      [
        ['doctor', 'https://ada:hunter2@api.example.com/'],
        'The URL must not have a user name or password. Send headers by --header.',
      ],
      [
        ['doctor', 'https://@api.example.com/'],
        'The URL must not have a user name or password. Send headers by --header.',
      ],
      [['doctor', `${URL}#x`], 'The URL must not have a fragment. Leave out "#" and what follows.'],
      [
        ['doctor', 'file:///etc/passwd'],
        'The URL must begin with https:// or http://, such as https://api.example.com/mcp',
      ],
    ];
    for (const [argv, message] of cases) {
      expect(() => parseCommand(argv, {})).toThrow(expect.objectContaining({ name: 'UsageError', message }));
    }
  });
});
