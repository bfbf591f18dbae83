import { parseArgs } from 'node:util';
import { parseTarget, UsageError } from './target.js';

/** What the command is to do. @internal */
export interface DoctorOptions {
  /** The URL as it was given. */
  readonly url: string;
  /** An access token, `-` for one on the standard input, or undefined. */
  readonly token: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** The file with certificates that are trusted too. */
  readonly caFile: string | undefined;
  readonly timeoutMs: number;
  readonly origin: string | undefined;
  readonly isJson: boolean;
  readonly isStrict: boolean;
  readonly login: LoginOptions | undefined;
}

/** @internal */
export interface LoginOptions {
  readonly clientId: string | undefined;
  readonly clientMetadataUrl: string | undefined;
  /** 0 takes a free one. */
  readonly callbackPort: number;
  readonly opensBrowser: boolean;
  /** A tool to call after the sign-in. */
  readonly call: { readonly tool: string; readonly arguments: Readonly<Record<string, unknown>> } | undefined;
}

/** @internal */
export type Command =
  { readonly name: 'help' | 'version' } | { readonly name: 'doctor'; readonly options: DoctorOptions };

const OPTIONS = {
  token: { type: 'string' },
  login: { type: 'boolean' },
  'client-id': { type: 'string' },
  'client-metadata': { type: 'string' },
  'callback-port': { type: 'string' },
  open: { type: 'boolean', default: true },
  call: { type: 'string' },
  arguments: { type: 'string' },
  origin: { type: 'string' },
  header: { type: 'string', multiple: true },
  ca: { type: 'string' },
  timeout: { type: 'string' },
  json: { type: 'boolean' },
  strict: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
  version: { type: 'boolean', short: 'v' },
} as const;

/** What needs `--login`. */
const OF_LOGIN = ['client-id', 'client-metadata', 'callback-port', 'call', 'arguments'] as const;

/** Headers that the doctor sets itself, or that have an option of their own. */
const RESERVED =
  /^(?:authorization|host|origin|accept|content-(?:type|length)|connection|transfer-encoding|mcp-.*)$/i;

/**
 * Parses the command line.
 *
 * @param environment - `MCP_TOKEN` is the token if `--token` is not given
 * @throws {@link UsageError}
 * @internal
 */
export function parseCommand(argv: readonly string[], environment: NodeJS.ProcessEnv): Command {
  const { values, positionals } = parsed(argv);
  if (values.version === true) return { name: 'version' };
  if (values.help === true || positionals.length === 0) return { name: 'help' };
  const [command, url, ...more] = positionals;
  if (command !== 'doctor' || url === undefined || more.length > 0) {
    throw new UsageError('The command is: nestjs-mcp-auth doctor URL');
  }
  parseTarget(url);
  const needsLogin = OF_LOGIN.find((name) => values[name] !== undefined);
  if (needsLogin !== undefined && values.login !== true)
    throw new UsageError(`--${needsLogin} needs --login.`);
  return { name: 'doctor', options: optionsOf(url, values, environment['MCP_TOKEN']) };
}

function optionsOf(url: string, values: Values, environmentToken: string | undefined): DoctorOptions {
  return {
    url,
    token: tokenOf(values.token ?? environmentToken),
    headers: headersOf(values.header ?? []),
    caFile: values.ca,
    timeoutMs: timeoutOf(values.timeout ?? '10'),
    origin: values.origin === undefined ? undefined : originOf(values.origin),
    isJson: values.json === true,
    isStrict: values.strict === true,
    login: values.login === true ? loginOf(values) : undefined,
  };
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true, allowNegative: true });
  } catch (error) {
    // Its message names the option, never a value.
    throw new UsageError((error as Error).message.split('. ')[0] ?? '', { cause: error });
  }
}

type Values = ReturnType<typeof parsed>['values'];

function tokenOf(given: string | undefined): string | undefined {
  if (given === undefined || given === '') return undefined;
  return given === '-' ? given : tokenIn(given);
}

/**
 * Returns the token in a text, without white space around it.
 *
 * @throws {@link UsageError} without its text
 * @internal
 */
export function tokenIn(text: string): string {
  const token = text.trim().replace(/^Bearer +/i, '');
  if (!/^[-A-Za-z0-9._~+/]+=*$/.test(token)) {
    throw new UsageError('The token is empty, or has characters that a token cannot have.');
  }
  return token;
}

function headersOf(given: readonly string[]): Readonly<Record<string, string>> {
  const pairs = given.map((each) => {
    const [, name = '', value = ''] = /^([!#$%&'*+\-.^_`|~\w]+): *([\x20-\x7e]*)$/.exec(each) ?? [];
    if (name === '') throw new UsageError("Write a header as 'Name: value'.");
    if (RESERVED.test(name))
      throw new UsageError(`The doctor sets the header ${name} itself. Give a token by --token.`);
    return [name.toLowerCase(), value] as const;
  });
  return Object.fromEntries(pairs);
}

function timeoutOf(given: string): number {
  const seconds = Number(given);
  if (!(seconds > 0 && seconds <= 300))
    throw new UsageError('--timeout is a number of seconds, at most 300.');
  return Math.ceil(seconds * 1000);
}

function originOf(given: string): string {
  const { origin } = parseTarget(given);
  if (origin !== given)
    throw new UsageError('--origin is an origin without a path, such as https://app.example.com');
  return origin;
}

function loginOf(values: Values): LoginOptions {
  const { call, arguments: given = '{}' } = values;
  const callbackPort = Number(values['callback-port'] ?? '0');
  if (!Number.isInteger(callbackPort) || callbackPort < 0 || callbackPort > 65_535) {
    throw new UsageError('--callback-port is a port.');
  }
  if (values.arguments !== undefined && call === undefined) throw new UsageError('--arguments needs --call.');
  return {
    clientId: values['client-id'],
    clientMetadataUrl: values['client-metadata'],
    callbackPort,
    opensBrowser: values.open,
    call: call === undefined ? undefined : { tool: call, arguments: objectOf(given) },
  };
}

function objectOf(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError('--arguments is a JSON object.');
  }
  return value as Readonly<Record<string, unknown>>;
}
