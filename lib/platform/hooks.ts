import { type HttpAdapterHost } from '@nestjs/core';
import { type IncomingMessage } from 'node:http';
import { type PlatformResponse } from './node-message.js';

/** A platform's request: Node's own, or Fastify's around it. @internal */
export type PlatformRequest = Pick<IncomingMessage, 'headers' | 'method' | 'url'> & {
  readonly originalUrl?: string | undefined;
  readonly body?: unknown;
};

/** Handles a request, or leaves it to what comes next. @internal */
export type Hook = (request: PlatformRequest, response: PlatformResponse, next: () => void) => void;

/** The part of a Fastify instance that is used. */
interface FastifyLike {
  addHook(name: 'onRequest' | 'preHandler', hook: Hook): void;
}

/**
 * Puts a hook on the platform, for every request that it gets.
 *
 * On Express it stands where it is called: before what is added later. On Fastify its time is said by name.
 *
 * @param time - before bodies are read, or after
 * @internal
 */
export function addHook(
  adapter: HttpAdapterHost['httpAdapter'],
  time: 'onRequest' | 'preHandler',
  hook: Hook,
): void {
  if (adapter.getType() === 'fastify') adapter.getInstance<FastifyLike>().addHook(time, hook);
  else adapter.use(hook);
}
