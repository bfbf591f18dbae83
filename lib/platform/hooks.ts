import { type HttpAdapterHost } from '@nestjs/core';
import { type IncomingMessage, type Server } from 'node:http';
import { type PlatformResponse } from './node-message.js';

/** A platform's request: Node's own, or Fastify's around it. @internal */
export type PlatformRequest = Pick<IncomingMessage, 'headers' | 'method' | 'url'> & {
  readonly originalUrl?: string | undefined;
  readonly body?: unknown;
};

/** Handles a request, or leaves it to what comes next: with an error, to the application's handling of errors. @internal */
export type Hook = (
  request: PlatformRequest,
  response: PlatformResponse,
  next: (error?: unknown) => void,
) => void;

/** The part of a Fastify instance that is used. */
interface FastifyLike {
  addHook(name: 'onRequest' | 'preHandler', hook: Hook): void;
  /** There once middleware is possible. */
  use?: unknown;
}

/** The part of an Express 5 application that is used: its middleware and routes, in order. */
interface ExpressLike {
  readonly router?: { readonly stack?: { readonly handle?: unknown }[] };
}

/**
 * Puts a hook on the platform, for every request that it gets.
 *
 * On Express a hook of `onRequest` stands before all that the application has, also before routes of an instance that was
 * given to the adapter; one of `preHandler` stands before what is added later. On Fastify its time is said by name.
 *
 * @param time - before bodies are read, or after
 * @internal
 */
export function addHook(
  adapter: HttpAdapterHost['httpAdapter'],
  time: 'onRequest' | 'preHandler',
  hook: Hook,
): void {
  if (hasRequestsOfItsOwn(adapter)) {
    adapter.getInstance<FastifyLike>().addHook(time, hook);
    return;
  }
  adapter.use(hook);
  if (time === 'onRequest') moveLastToFront(adapter.getInstance<ExpressLike>().router?.stack);
}

/** The hooks that stand in front, in the order in which they were put there. */
const inFront = new WeakSet();

function moveLastToFront(stack: { readonly handle?: unknown }[] = []): void {
  const last = stack.pop();
  if (typeof last?.handle !== 'function') return;
  const at = stack.findIndex(({ handle }) => typeof handle !== 'function' || !inFront.has(handle));
  stack.splice(at === -1 ? stack.length : at, 0, last);
  inFront.add(last.handle);
}

/**
 * Puts a hook before all middleware too, where the platform runs that at a time of its own: on Fastify it is an
 * `onRequest` hook, which stands before those of this package in an application that `NestFactory` makes.
 *
 * @internal
 */
export function addBeforeMiddleware(adapter: HttpAdapterHost['httpAdapter'], hook: Hook): void {
  // Middleware that is not possible yet comes behind the hooks that are there already.
  if (hasRequestsOfItsOwn(adapter) && adapter.getInstance<FastifyLike>().use !== undefined) adapter.use(hook);
}

/**
 * Meets requests before the platform does. Express gives each of them another prototype, and from then on a shape of its
 * own: what is added to one after that takes the engine many times as long. An application without a server of its own,
 * such as a serverless one, goes without.
 *
 * @internal
 */
export function addBeforePlatform(
  adapter: HttpAdapterHost['httpAdapter'],
  prepare: (request: IncomingMessage) => void,
): void {
  const server = adapter.getHttpServer() as Partial<Server> | undefined;
  server?.prependListener?.('request', prepare);
}

/** Whether handlers get another object than middleware, with Node's request in it. @internal */
export function hasRequestsOfItsOwn(adapter: HttpAdapterHost['httpAdapter']): boolean {
  return adapter.getType() === 'fastify';
}
