import { type HttpAdapterHost } from '@nestjs/core';
import { type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { type PlatformRequest } from './hooks.js';

/** What a preflight is to be answered with. @internal */
export interface PreflightAnswer {
  readonly status: number;
  readonly headers: OutgoingHttpHeaders;
}

/** Gives the answer to a request that is a preflight of ours, else undefined. @internal */
export type AnswerPreflight = (request: PlatformRequest) => PreflightAnswer | undefined;

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

interface FastifyLike {
  addHook(name: 'onSend', hook: SendHook): void;
}

/**
 * Puts our answer in the place of the one that the application's own CORS setting has given to a preflight.
 *
 * For Fastify, where that setting is asked before any hook of ours can be. On Express a hook stands before it, so there is
 * nothing to put right.
 *
 * @internal
 */
export function correctPreflights(adapter: HttpAdapterHost['httpAdapter'], answer: AnswerPreflight): void {
  if (adapter.getType() !== 'fastify') return;
  adapter.getInstance<FastifyLike>().addHook('onSend', (request, reply, payload, done) => {
    // A server that is going down says so.
    const ours = request.method === 'OPTIONS' && reply.statusCode < 500 ? answer(request) : undefined;
    if (!ours) {
      done(null, payload);
      return;
    }
    for (const name of Object.keys(reply.getHeaders()).filter(isOfCors)) {
      reply.removeHeader(name);
      reply.raw.removeHeader(name);
    }
    reply.code(ours.status);
    reply.headers(ours.headers);
    done(null, null);
  });
}

function isOfCors(name: string): boolean {
  return name.startsWith('access-control-') || name === 'vary';
}
