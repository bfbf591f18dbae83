import type { IncomingMessage } from 'node:http';
import type { HttpAnswer, HttpRequest } from './http.js';
import { header, isEventStream } from './http.js';
import { VERSION } from './links.js';

/** The last revision with sessions and a handshake. @internal */
export const LEGACY = '2025-11-25';

/** The first revision without them: each request says all about itself. @internal */
export const MODERN = '2026-07-28';

/** A tool that no server has. @internal */
export const NO_TOOL = 'nestjs-mcp-auth-doctor-no-such-tool';

const CLIENT = { name: 'nestjs-mcp-auth-doctor', version: VERSION };
const ID = 1;

/** Returns a POST with one JSON-RPC message, as clients of a revision send it. @internal */
export function message(
  url: string,
  revision: string,
  method: string,
  params: Readonly<Record<string, unknown>> = {},
  headers: Readonly<Record<string, string>> = {},
): HttpRequest {
  const isModern = revision >= MODERN;
  const isNotification = method.startsWith('notifications/');
  const body = {
    jsonrpc: '2.0',
    ...(!isNotification && { id: ID }),
    method,
    params: { ...params, ...(isModern && { _meta: META }) },
  };
  const { name } = params;
  return {
    method: 'POST',
    url,
    headers: {
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      ...(method !== 'initialize' && { 'mcp-protocol-version': revision }),
      ...(isModern && { 'mcp-method': method, ...(typeof name === 'string' && { 'mcp-name': name }) }),
      ...headers,
    },
    body: JSON.stringify(body),
    until: hasResponse,
  };
}

const META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientInfo': CLIENT,
  'io.modelcontextprotocol/clientCapabilities': {},
};

/** Returns the first request of a client with a handshake. @internal */
export function initialize(url: string, headers: Readonly<Record<string, string>> = {}): HttpRequest {
  const params = { protocolVersion: LEGACY, capabilities: {}, clientInfo: CLIENT };
  return message(url, LEGACY, 'initialize', params, headers);
}

/** A JSON-RPC response. @internal */
export interface RpcResponse {
  readonly result?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown };
}

/** Returns the JSON-RPC response in an answer: its body, or an event of its stream. Undefined if there is none. @internal */
export function responseIn(answer: HttpAnswer): RpcResponse | undefined {
  const isStream = header(answer, 'content-type')?.toLowerCase().startsWith('text/event-stream') === true;
  return isStream ? responseInStream(answer.text) : responseOf(answer.text);
}

function hasResponse(text: string, answer: IncomingMessage): boolean {
  return isEventStream(answer) && responseInStream(text) !== undefined;
}

/** Only events that have ended are read. */
function responseInStream(text: string): RpcResponse | undefined {
  const events = text.replaceAll(/\r\n?/g, '\n').split('\n\n').slice(0, -1);
  for (const event of events) {
    const data = event
      .split('\n')
      .flatMap((line) => (line.startsWith('data:') ? [line.slice(5).trim()] : []));
    const response = responseOf(data.join('\n'));
    if (response) return response;
  }
  return undefined;
}

function responseOf(text: string): RpcResponse | undefined {
  const value = parseJson(text);
  return isObject(value) && value['id'] === ID ? value : undefined;
}

/** @internal */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @internal */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the members of a list that are texts; empty if it is no list. @internal */
export function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
