import type { HttpAdapterHost } from '@nestjs/core';
import { addExpressHookInFront, expressJsonParser } from './express.js';
import { addFastifyHook, fastifyJsonParser, isFastify } from './fastify.js';
import type { Hook } from './node-message.js';

/**
 * Adds a hook that the platform runs for every request.
 *
 * On Express a hook of `onRequest` stands before all that the application has, and one of `preHandler` before what is added
 * later. On Fastify the name says the time.
 *
 * @param time - before bodies are read, or after
 * @internal
 */
export function addHook(
  adapter: HttpAdapterHost['httpAdapter'],
  time: 'onRequest' | 'preHandler',
  hook: Hook,
): void {
  if (isFastify(adapter)) addFastifyHook(adapter, time, hook);
  else if (time === 'onRequest') addExpressHookInFront(adapter, hook);
  else adapter.use(hook);
}

const parsers = new WeakMap<object, Hook>();

/**
 * Returns what reads the body of a request into its `body` before the platform does, or hands on why it cannot.
 *
 * On Express it is the JSON parser that the application has for all paths, with the limits that it was given: Nest's own, or
 * one by `app.useBodyParser()` or `app.use(express.json())`. It passes over a body that has been read. On Fastify the body
 * is read ahead, and then read again by Fastify.
 *
 * @returns undefined if an Express application has no such parser
 * @internal
 */
export function jsonParserOf(adapter: HttpAdapterHost['httpAdapter']): Hook | undefined {
  const known = parsers.get(adapter);
  if (known) return known;
  const parser = isFastify(adapter) ? fastifyJsonParser(adapter) : expressJsonParser(adapter);
  if (parser) parsers.set(adapter, parser);
  return parser;
}

/**
 * The paths of a controller that answers at its own path and at everything below. Express has a spelling of its own.
 *
 * @param platform - the type of the HTTP adapter
 * @internal
 */
export function wholeTree(platform: string): readonly string[] {
  return ['', platform === 'express' ? '*path' : '*'];
}
