import { spawn } from 'node:child_process';
import { platform } from 'node:os';

/** The program that opens a URL, with what stands before it. */
const OPENERS: Readonly<Record<string, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
  linux: ['xdg-open'],
};

/** Returns the command that opens a URL; undefined if the system has none, or if the URL is not for a browser. @internal */
export function openerOf(url: URL, system: string): readonly [string, ...string[]] | undefined {
  const opener = OPENERS[system];
  const isForBrowser = url.protocol === 'https:' || url.protocol === 'http:';
  return opener && isForBrowser ? [...opener, url.href] : undefined;
}

/** Opens a URL in the person's browser if that is possible. The URL was printed before, so nothing depends on it. @internal */
export function openBrowser(url: URL): void {
  const [program, ...args] = openerOf(url, platform()) ?? [];
  if (program === undefined) return;
  const child = spawn(program, args, { stdio: 'ignore', detached: true });
  child.on('error', () => undefined);
  child.unref();
}
