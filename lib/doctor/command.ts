import { readFile } from 'node:fs/promises';
import { text } from 'node:stream/consumers';
import { type Command, type DoctorOptions, parseCommand, tokenIn } from './arguments.js';
import { judgeClients } from './clients.js';
import { type DoctorContext, noFacts } from './context.js';
import type { Finding } from './finding.js';
import { HELP } from './help.js';
import { HttpClient } from './http.js';
import { VERSION } from './links.js';
import { loginCheck } from './login/login-check.js';
import { jsonReport } from './report-json.js';
import { textReport, type TextReport } from './report-text.js';
import { UsageError } from './target.js';
import { type CheckedFinding, walk } from './walk.js';

/** The parts of a process that the command uses. @internal */
export interface CommandEnvironment {
  readonly env: NodeJS.ProcessEnv;
  readonly stdin: NodeJS.ReadableStream;
  readonly stdout: Output;
  readonly stderr: Output;
}

interface Output {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/**
 * Runs the command line.
 *
 * @param argv - what follows the name of the program
 * @returns the exit code: 0 no errors, 1 errors, 2 wrong usage or not reachable
 * @internal
 */
export async function runDoctor(argv: readonly string[], environment: CommandEnvironment): Promise<number> {
  const { stdout, stderr, env } = environment;
  try {
    const command: Command = parseCommand(argv, env);
    if (command.name !== 'doctor') {
      stdout.write(command.name === 'help' ? HELP : `${VERSION}\n`);
      return 0;
    }
    return await examine(command.options, environment);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    stderr.write(`${error.message}\nRun nestjs-mcp-auth --help for all options.\n`);
    return 2;
  }
}

async function examine(options: DoctorOptions, environment: CommandEnvironment): Promise<number> {
  const { stdout, stderr, env } = environment;
  const { url, isJson, login } = options;
  const context = await contextOf(options, environment.stdin);
  const hasColors = stdout.isTTY === true && (env['NO_COLOR'] ?? '') === '';
  const report = textReport((each) => stdout.write(each), hasColors);
  const show = (each: string): void => void (isJson ? stderr : stdout).write(each);
  const logins = login ? [loginCheck(login, show)] : [];
  if (!isJson) stdout.write(`${url}\n`);
  const found = await walk(context, logins, isJson ? undefined : report);
  const clients = judgeClients(found, context);
  const exitCode = exitCodeOf(found, context, options);
  if (isJson) stdout.write(`${JSON.stringify(jsonReport(url, exitCode, found, clients), undefined, 2)}\n`);
  else finish(report, found, clients);
  return exitCode;
}

function finish(
  report: TextReport,
  found: readonly Finding[],
  clients: ReturnType<typeof judgeClients>,
): void {
  report.begin('Clients');
  report.clients(clients);
  report.end(found);
}

function exitCodeOf(
  found: readonly CheckedFinding[],
  { facts }: DoctorContext,
  options: DoctorOptions,
): number {
  if (facts.reach === 'unreachable') return 2;
  const fails = found.some(
    ({ severity }) => severity === 'error' || (options.isStrict && severity === 'warning'),
  );
  return fails ? 1 : 0;
}

async function contextOf(options: DoctorOptions, stdin: NodeJS.ReadableStream): Promise<DoctorContext> {
  const target = new URL(options.url);
  const token = options.token === '-' ? tokenIn(await text(stdin)) : options.token;
  const http = new HttpClient({
    timeoutMs: options.timeoutMs,
    ca: options.caFile === undefined ? undefined : await readCertificates(options.caFile),
    ownHeaders: options.headers,
    ownOrigin: target.origin,
    secrets: [...(token === undefined ? [] : [token]), ...Object.values(options.headers)].filter(isLong),
  });
  return { url: options.url, target, http, token, origin: options.origin, now: Date.now, facts: noFacts() };
}

/** A short value, such as "1", is no secret, and stands in other places too. */
function isLong(value: string): boolean {
  return value.length >= 6;
}

async function readCertificates(file: string): Promise<string> {
  const certificates = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new UsageError('The file of --ca cannot be read.', { cause: error });
  });
  if (!certificates.includes('-----BEGIN CERTIFICATE-----')) {
    throw new UsageError('The file of --ca has no certificate in PEM.');
  }
  return certificates;
}
