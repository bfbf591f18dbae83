import type { EventOperation } from '../events/mcp-auth-event.interface.js';
import type { SentOperation } from '../request/request-audit.js';
import { operationsOf } from './operations.js';

/** Most operations that an event has: a batch may have more. */
const MAX_OPERATIONS = 100;

/** Longest method or name in an event. Unit: characters. */
const MAX_LENGTH = 200;

const NONE: readonly never[] = Object.freeze([]);

/**
 * Returns what a JSON-RPC body asks for, for events: each message that has a method, whether or not it runs a handler. Without
 * arguments.
 *
 * @param body - parsed; anything that a client may send
 * @internal
 */
export function eventOperations(body: unknown): readonly SentOperation[] {
  if (!Array.isArray(body)) return ofMessage(body);
  const found: SentOperation[] = [];
  for (const message of body as unknown[]) {
    found.push(...ofMessage(message));
    if (found.length >= MAX_OPERATIONS) break;
  }
  return found.slice(0, MAX_OPERATIONS);
}

/** Returns the `_meta` of the first message of a body. @internal */
export function metaOf(body: unknown): Readonly<Record<string, unknown>> {
  const [first] = Array.isArray(body) ? (body as unknown[]) : [body];
  return record(record(record(first)['params'])['_meta']);
}

function ofMessage(message: unknown): readonly SentOperation[] {
  const { method, id } = record(message);
  if (typeof method !== 'string') return NONE;
  const own = typeof id === 'string' || typeof id === 'number' ? id : undefined;
  const operations = operationsOf(message);
  const [first] = operations;
  if (!first) return [{ operation: frozen(method, undefined, undefined), id: own }];
  if (operations.length === 1) return [{ operation: frozen(method, first.kind, cut(first.name)), id: own }];
  return operations
    .slice(0, MAX_OPERATIONS)
    .map(({ kind, name }) => ({ operation: frozen(method, kind, cut(name)), id: own }));
}

function frozen(method: string, kind: EventOperation['kind'], name: string | undefined): EventOperation {
  return Object.freeze({ method: cut(method), kind, name });
}

function cut(text: string): string {
  return text.length > MAX_LENGTH ? text.slice(0, MAX_LENGTH) : text;
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
