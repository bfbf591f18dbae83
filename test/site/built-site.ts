import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SOURCE = join(ROOT, 'docs');
const BUILT = join(SOURCE, '.vitepress/dist');

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
};

/** Builds the site unless it is newer than its sources. @returns the folder that it is in */
export async function builtSite(): Promise<string> {
  const index = join(BUILT, 'index.html');
  const isCurrent = existsSync(index) && statSync(index).mtimeMs > newest(SOURCE);
  if (!isCurrent) await promisify(execFile)('npm', ['run', '-s', 'docs'], { cwd: ROOT });
  return BUILT;
}

/** When a source of the site was last changed. */
function newest(folder: string): number {
  const times = readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !['public', 'dist', 'cache'].includes(name))
    .map((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? newest(path) : statSync(path).mtimeMs;
    });
  return Math.max(0, ...times);
}

/** Serves a folder on loopback, as a host of static files does. */
export class StaticServer {
  private constructor(private readonly server: Server) {}

  static async start(folder: string): Promise<StaticServer> {
    const server = createServer((request, response) => {
      const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
      const path = normalize(decodeURIComponent(pathname.endsWith('/') ? `${pathname}index.html` : pathname));
      const file = join(folder, path);
      const isFound = existsSync(file) && statSync(file).isFile();
      const type = TYPES[isFound ? extname(file) : '.html'] ?? 'application/octet-stream';
      response.writeHead(isFound ? 200 : 404, { 'content-type': type });
      response.end(readFileSync(isFound ? file : join(folder, '404.html')));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new StaticServer(server);
  }

  get origin(): string {
    return `http://127.0.0.1:${String((this.server.address() as AddressInfo).port)}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await promisify(this.server.close.bind(this.server))();
  }
}

/** The tags of HTML that load something from another host. */
export function remoteTags(html: string): readonly string[] {
  const tags = html.match(/<(?:script|link|img|iframe|source|video|audio|embed|object)\b[^>]*>/gi) ?? [];
  return tags.filter((tag) => /\b(?:src|srcset|href|data)\s*=\s*["']?(?:https?:)?\/\//i.test(tag));
}

/** The places of CSS that load something from another host. */
export function remoteUrls(css: string): readonly string[] {
  return css.match(/(?:url\(\s*["']?|@import\s+["'])(?:https?:)?\/\/[^)"';]*/gi) ?? [];
}
