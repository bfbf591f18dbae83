import { learntFrom } from './learnt.js';
import type { Step } from './step.js';

/** Does HTTP requests, prints each in one line as it is done, and keeps them for a later look. */
export class Trace {
  readonly steps: Step[] = [];

  constructor(private readonly print: (line: string) => void) {}

  /** A `fetch` for the party that is traced. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const body = request.body === null ? '' : await request.clone().text();
    const response = await fetch(request);
    const url = new URL(request.url);
    const step: Step = {
      method: request.method,
      url,
      status: response.status,
      body,
      challenge: response.headers.get('www-authenticate') ?? '',
    };
    this.steps.push(step);
    const learnt = await learntFrom(step, response.clone());
    const number = String(this.steps.length).padStart(4);
    this.print(
      `${number}  ${step.method.padEnd(4)} ${url.origin}${readablePath(url)}  ${String(step.status)}  ${learnt}`,
    );
    return response;
  };

  /** The last step of this method and path. */
  last(method: string, path: string): Step | undefined {
    return this.steps.filter((step) => step.method === method && step.url.pathname === path).at(-1);
  }
}

/** The path without the random part of a login's address, and without the query, which holds codes. */
function readablePath({ pathname }: URL): string {
  return pathname.replace(/^\/(interaction|auth)\/[\w-]+/, '/$1/…');
}
