import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import type { Person } from '../../sample/demo/src/person.js';
import { Browser, environmentIn, installed, run } from './process.js';

/** Where a program runs, and for what server. */
export interface Place {
  readonly endpoint: string;
  readonly issuer: string;
  /** An empty folder. */
  readonly home: string;
  readonly person: Person;
  /** A free port, for the redirect URI. */
  readonly port: number;
  /** A client ID that the authorization server knows; with neither this nor a document, the program registers itself. */
  readonly clientId?: string | undefined;
  /** The address of a Client ID Metadata Document. */
  readonly clientMetadataUrl?: string | undefined;
}

/** A tool as a program shows it. */
export interface ListedTool {
  readonly name: string;
  readonly securitySchemes?: unknown;
  readonly _meta?: { readonly securitySchemes?: unknown };
}

/** A program that is there to call tools. */
export interface StartedProgram {
  /** @returns what the tool said @throws Error with what the program says if the call fails */
  call(tool: string): Promise<string>;
  /** The tools that the server lists, as the program shows them. */
  list(): Promise<readonly ListedTool[]>;
  close(): Promise<void>;
}

/** A client that is run as a process of its own. */
export interface ClientProgram {
  /** As docs/clients.md calls it. */
  readonly name: string;
  /** The path of its redirect URI on 127.0.0.1. */
  readonly callbackPath: string;
  start(place: Place): Promise<StartedProgram>;
}

/** A client library, run by a driver that does what the library's documentation tells its users to do. */
function library(name: string, driver: string, settings: Record<string, string> = {}): ClientProgram {
  return {
    name,
    callbackPath: '/callback',
    start: (place) => {
      const browser = new Browser(place.person);
      const env = {
        ...environmentIn(place.home),
        ...settings,
        CALLBACK_PORT: String(place.port),
        AUTHORIZATION_SERVER: JSON.stringify({
          issuer: place.issuer,
          authorizationServerUrl: `${place.issuer}/`,
          tokenEndpoint: `${place.issuer}/token`,
        }),
        ...(place.clientId !== undefined && { CLIENT_ID: place.clientId }),
        ...(place.clientMetadataUrl !== undefined && { CLIENT_METADATA_URL: place.clientMetadataUrl }),
      };
      const script = fileURLToPath(new URL(`drivers/${driver}.mjs`, import.meta.url));
      const child = spawn(process.execPath, [script, place.endpoint], { env });
      browser.watch(child.stderr);
      const ended = once(child, 'exit');
      const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
      const say = async (line: string): Promise<string> => {
        child.stdin.write(`${line}\n`);
        const answer = await answers.next();
        if (answer.done === true) throw new Error(`${name} ended: ${browser.said}`);
        const { text, error } = JSON.parse(answer.value) as { text?: string; error?: string };
        if (text === undefined) throw new Error(error);
        return text;
      };
      return Promise.resolve({
        call: say,
        list: async () => (JSON.parse(await say('tools/list')) as ToolList).tools,
        close: async () => {
          child.stdin.end();
          await ended;
        },
      });
    },
  };
}

/** The command line of the Inspector: a process for each call, with a person who answers yes to what it asks. */
const inspector: ClientProgram = {
  name: 'MCP Inspector CLI',
  callbackPath: '/oauth/callback',
  start: (place) => {
    const browser = new Browser(place.person);
    const options = {
      '--transport': 'http',
      '--server-url': place.endpoint,
      '--callback-url': `http://127.0.0.1:${String(place.port)}/oauth/callback`,
      '--format': 'json',
      ...(place.clientId !== undefined && { '--client-id': place.clientId }),
      ...(place.clientMetadataUrl !== undefined && { '--client-metadata-url': place.clientMetadataUrl }),
    };
    const args = [
      installed('@modelcontextprotocol/inspector/clients/launcher/build/index.js'),
      '--cli',
      ...Object.entries(options).flat(),
    ];
    const runWith = async (...more: readonly string[]): Promise<unknown> => {
      const { stdout, code } = await run([...args, ...more], environmentIn(place.home), browser, 'y\n');
      if (code !== 0) throw new Error(browser.said);
      return (JSON.parse(stdout) as { result: unknown }).result;
    };
    return Promise.resolve({
      call: async (tool) =>
        textOf((await runWith('--method', 'tools/call', '--tool-name', tool)) as ToolAnswer),
      list: async () => ((await runWith('--method', 'tools/list')) as ToolList).tools,
      close: () => Promise.resolve(),
    });
  },
};

/** The proxy from standard input and output to HTTP, with the official client at its local end. */
const mcpRemote: ClientProgram = {
  name: 'mcp-remote',
  callbackPath: '/oauth/callback',
  start: async (place) => {
    const browser = new Browser(place.person);
    const info = { client_id: place.clientId };
    const transport = new StdioClientTransport({
      command: process.execPath,
      args: [
        installed('mcp-remote/dist/proxy.js'),
        place.endpoint,
        String(place.port),
        ...['--host', '127.0.0.1', '--transport', 'http-only'],
        ...(place.clientId === undefined ? [] : ['--static-oauth-client-info', JSON.stringify(info)]),
        ...(place.clientMetadataUrl === undefined ? [] : ['--client-metadata-url', place.clientMetadataUrl]),
      ],
      env: environmentIn(place.home),
      stderr: 'pipe',
    });
    if (transport.stderr) browser.watch(transport.stderr);
    const client = new Client({ name: 'host', version: '1' });
    await client.connect(transport);
    return {
      call: async (name) => textOf((await client.callTool({ name, arguments: {} })) as ToolAnswer),
      list: async () => ((await client.listTools()) as ToolList).tools,
      close: () => client.close(),
    };
  },
};

interface ToolList {
  readonly tools: readonly ListedTool[];
}

interface ToolAnswer {
  readonly isError?: boolean;
  readonly content: readonly { readonly text?: string }[];
}

function textOf({ isError, content }: ToolAnswer): string {
  const text = content[0]?.text ?? '';
  if (isError) throw new Error(text);
  return text;
}

/** All programs, in the order of docs/clients.md. */
export const PROGRAMS: readonly ClientProgram[] = [
  library('Official SDK v2', 'sdk-v2'),
  library('Official SDK v1', 'sdk-v1'),
  inspector,
  mcpRemote,
  library('AI SDK', 'ai-sdk'),
];

/** The official client v1 as an application runs it that keeps no refresh tokens. */
export const SDK_V1_WITHOUT_REFRESH = library('Official SDK v1', 'sdk-v1', { NO_REFRESH_TOKEN: '1' });
