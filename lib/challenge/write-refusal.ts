import { type ServerResponse } from 'node:http';
import { type RefusalResponse } from './refusal-response.js';

/** Answers a request with a refusal, outside of what Nest answers for. @internal */
export function writeRefusal(response: ServerResponse, { status, headers, body }: RefusalResponse): void {
  const text = JSON.stringify(body);
  const described = {
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Length': Buffer.byteLength(text),
  };
  response.writeHead(status, { ...headers, ...described }).end(text);
}
