import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The parts of an evaluation request of AuthZEN that the rules read. */
interface Evaluation {
  readonly subject: { readonly type: string; readonly id: string };
  readonly action: { readonly name: string };
  readonly resource: {
    readonly type: string;
    readonly id: string;
    readonly properties?: Record<string, unknown>;
  };
}

export interface RunningDecisionPoint {
  readonly url: string;
  close(): Promise<void>;
}

/** Who owns each document. A real decision point has a language for its rules, and reads such facts from a store. */
const OWNERS: Readonly<Record<string, string>> = { plan: 'ada', budget: 'bob' };

/** Owners may publish their documents. */
function decide({ subject, resource: { type, id, properties } }: Evaluation): boolean {
  const document = properties?.['document'];
  const owner =
    typeof document === 'string' && Object.hasOwn(OWNERS, document) ? OWNERS[document] : undefined;
  return type === 'tool' && id === 'publish' && owner !== undefined && owner === subject.id;
}

/** Starts a decision point with the HTTP API of OpenID AuthZEN on loopback. */
export async function startDecisionPoint(port = 0): Promise<RunningDecisionPoint> {
  const server = createServer((request, response) => {
    void evaluate(request, response);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function evaluate(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST' || request.url !== '/access/v1/evaluation') {
    response.writeHead(404).end();
    return;
  }
  let answer: object | undefined;
  try {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    answer = { decision: decide(JSON.parse(body) as Evaluation) };
  } catch {
    response.writeHead(400).end();
    return;
  }
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
}
