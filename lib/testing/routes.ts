import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { errorAnswer } from './answers.js';
import { answerWith, type TestFault } from './faults.js';
import type {
  Answer,
  TestEndpoint,
  TestListener,
  TestRequest,
} from './test-authorization-server.interface.js';

/** The content of a path: a function that returns a response, or a listener that writes one. @internal */
export type Content =
  | { readonly answer: (request: TestRequest) => Answer | Promise<Answer> }
  | { readonly listener: TestListener };

type Route = Content & { readonly endpoint: TestEndpoint | undefined };

/**
 * Routes a request to the content of its path, and applies the endpoint's fault if it has one. Records the
 * requests.
 *
 * @internal
 */
export class Router {
  readonly requests: TestRequest[] = [];
  private readonly routes = new Map<string, Route>();
  private readonly faults = new Map<TestEndpoint, { readonly fault: TestFault; left: number }>();

  /** Sets the content of a path. The path keeps its endpoint, unless another one is given. */
  put(path: string, content: Content, endpoint = this.routes.get(path)?.endpoint): void {
    this.routes.set(path, { ...content, endpoint });
  }

  remove(path: string): void {
    this.routes.delete(path);
  }

  fail(endpoint: TestEndpoint, fault: TestFault, times: number): void {
    this.faults.set(endpoint, { fault, left: times });
  }

  recover(endpoint?: TestEndpoint): void {
    if (endpoint === undefined) this.faults.clear();
    else this.faults.delete(endpoint);
  }

  handle(incoming: IncomingMessage, response: ServerResponse): void {
    this.answer(incoming, response).catch((error: unknown) => {
      // A mistake of the test itself, or a client that has disconnected. That client reads no response.
      if (response.headersSent) response.destroy();
      else write(response, errorAnswer(500, 'server_error', String(error)));
    });
  }

  private async answer(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = incoming;
    const body = await text(incoming);
    const route = this.routes.get(url.replace(/\?.*$/s, ''));
    const request: TestRequest = { method, path: url, headers, body, endpoint: route?.endpoint };
    this.requests.push(request);
    if (!route) {
      write(response, errorAnswer(404, 'not_found', 'Nothing is at this path'));
    } else if ('listener' in route) {
      route.listener(incoming, response, body);
    } else {
      const right = async (): Promise<Answer> => route.answer(request);
      const fault = this.faultOf(route.endpoint);
      if (fault === undefined) write(response, await right());
      else await answerWith(fault, response, right);
    }
  }

  private faultOf(endpoint: TestEndpoint | undefined): TestFault | undefined {
    const entry = endpoint && this.faults.get(endpoint);
    if (!entry || entry.left <= 0) return undefined;
    entry.left -= 1;
    return entry.fault;
  }
}

function write(response: ServerResponse, { status, headers, body }: Answer): void {
  response.writeHead(status, headers).end(body);
}
