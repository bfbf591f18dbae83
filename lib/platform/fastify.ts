import type { HttpAdapterHost } from '@nestjs/core';
import type { OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Hook, PlatformRequest } from './node-message.js';
import { jsonPeeker } from './peek-json.js';

/** What a preflight is to be answered with. @internal */
export interface PreflightAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
}

/** The part of a Fastify reply that is used. */
interface ReplyLike {
  readonly statusCode: number;
  readonly raw: ServerResponse;
  getHeaders(): OutgoingHttpHeaders;
  removeHeader(name: string): unknown;
  code(status: number): unknown;
  headers(headers: OutgoingHttpHeaders): unknown;
}

type SendHook = (
  request: PlatformRequest,
  reply: ReplyLike,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
) => void;

/** The part of a Fastify instance that is used. All of it is documented. Checked with Fastify 5.11.3 to 5.12.8. */
interface FastifyLike {
  addHook(name: 'onRequest' | 'preHandler', hook: Hook): void;
  addHook(name: 'onSend', hook: SendHook): void;
  /** Set once @fastify/middie is registered, which Nest does when it initializes the adapter. */
  use?: unknown;
  readonly initialConfig?: { readonly bodyLimit?: number };
}

/** Fastify's default limit of bodies, in bytes. */
const BODY_LIMIT = 1024 * 1024;

/** Whether a platform is Fastify: its requests and responses are objects around Node's. @internal */
export function isFastify(adapter: { getType(): string }): boolean {
  return adapter.getType() === 'fastify';
}

/** Adds a hook to a Fastify instance. @internal */
export function addFastifyHook(
  adapter: HttpAdapterHost['httpAdapter'],
  time: 'onRequest' | 'preHandler',
  hook: Hook,
): void {
  adapter.getInstance<FastifyLike>().addHook(time, hook);
}

/**
 * Puts a hook before all middleware on Fastify too, which runs middleware in an `onRequest` hook of its own. In an
 * application that `NestFactory` makes, that hook stands before those of this package. Does nothing on Express.
 *
 * @internal
 */
export function addBeforeMiddleware(adapter: HttpAdapterHost['httpAdapter'], hook: Hook): void {
  // Middleware that is not possible yet comes behind the hooks that are there already.
  if (isFastify(adapter) && adapter.getInstance<FastifyLike>().use !== undefined) adapter.use(hook);
}

/** Reads JSON bodies ahead, up to the `bodyLimit` of the Fastify instance. Fastify reads them again. @internal */
export function fastifyJsonParser(adapter: HttpAdapterHost['httpAdapter']): Hook {
  return jsonPeeker(adapter.getInstance<FastifyLike>().initialConfig?.bodyLimit ?? BODY_LIMIT);
}

/**
 * Replaces the answer that the application's own CORS setting has given to a preflight.
 *
 * Fastify runs that setting before any hook of this package. On Express a hook stands before it, so this does nothing.
 *
 * @param answer - gives the answer to a request that is a preflight of ours, else undefined. Its promise never rejects
 * @internal
 */
export function correctPreflights(
  adapter: HttpAdapterHost['httpAdapter'],
  answer: (request: PlatformRequest) => PreflightAnswer | undefined | Promise<PreflightAnswer | undefined>,
): void {
  if (!isFastify(adapter)) return;
  adapter.getInstance<FastifyLike>().addHook('onSend', (request, reply, payload, done) => {
    // A server that is going down says so.
    const ours = request.method === 'OPTIONS' && reply.statusCode < 500 ? answer(request) : undefined;
    const finish = (given: PreflightAnswer | undefined): void => {
      if (given) replaceAnswer(reply, given);
      done(null, given ? null : payload);
    };
    if (ours instanceof Promise) void ours.then(finish);
    else finish(ours);
  });
}

function replaceAnswer(reply: ReplyLike, { status, headers }: PreflightAnswer): void {
  for (const name of Object.keys(reply.getHeaders()).filter(isOfCors)) {
    reply.removeHeader(name);
    reply.raw.removeHeader(name);
  }
  reply.code(status);
  reply.headers(headers);
}

function isOfCors(name: string): boolean {
  return name.startsWith('access-control-') || name === 'vary';
}
