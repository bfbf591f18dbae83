import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Stream } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Person } from '../../sample/demo/src/person.js';

/** The folder of an installed package, or a file in it. */
export function installed(path: string): string {
  return fileURLToPath(new URL(`../../node_modules/${path}`, import.meta.url));
}

/** What a program under test finds around it: a home of its own, and no browser. */
export function environmentIn(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home,
    // Whatever opens a browser opens nothing: a Person reads the address instead.
    BROWSER: 'true',
    MCP_AUTO_OPEN_ENABLED: 'true',
    MCP_REMOTE_CONFIG_DIR: home,
    // Without a keychain the Inspector forgets its tokens with each process, unless it is told to write them to a file.
    MCP_INSPECTOR_SECRET_STORE: 'file',
    NO_COLOR: '1',
  };
}

/**
 * Reads what a program says, and opens the authorization URLs in it as a person with a browser does: to the end, which is the
 * program's own address.
 */
export class Browser {
  private text = '';
  private readonly opened = new Set<string>();
  private failure: Error | undefined;

  constructor(private readonly person: Person) {}

  /** What the program has said so far, without the addresses that were opened. */
  get said(): string {
    return this.failure ? `${this.text}\n${this.failure.message}` : this.text;
  }

  watch(output: Stream): void {
    output.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
      for (const [, url = ''] of this.text.matchAll(/(https?:\/\/\S+response_type=code\S*)\s/g)) {
        if (this.opened.has(url)) continue;
        this.opened.add(url);
        this.open(new URL(url)).catch((error: unknown) => {
          this.failure = error as Error;
        });
      }
    });
  }

  private async open(url: URL): Promise<void> {
    const answer = await this.person.authorize(url);
    await (await visit(answer)).text();
  }
}

/** A person takes longer to sign in than a program takes to listen. This one does not, so it tries again for a while. */
async function visit(answer: URL): Promise<Response> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const response = await fetch(answer).catch(() => undefined);
    if (response) return response;
    await delay(50);
  }
  throw new Error(`Nothing listens at ${answer.origin}`);
}

/** Runs a program that ends by itself. @returns what it printed */
export async function run(
  args: readonly string[],
  env: Record<string, string>,
  browser: Browser,
  input = '',
): Promise<{ stdout: string; code: number | null }> {
  const child = spawn(process.execPath, args, { env });
  browser.watch(child.stderr);
  let stdout = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stdin.write(input);
  const [code] = (await once(child, 'close')) as [number | null];
  return { stdout, code };
}
