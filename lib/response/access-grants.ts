import { Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { type DecidedRequest, RequestEvents } from '../rejection/request-events.js';
import { RequestContext } from '../request/request-context.js';
import { AnswerReader } from './answer-reader.js';
import { beforeHead } from './intercept-response.js';

/** The platform's request, with its body if that has been read. */
type GrantedRequest = object & { readonly body?: unknown; readonly method?: string | undefined };

/**
 * Reports requests that are let through, once each: by the last layer that decides. Without listeners it does nothing.
 *
 * @internal
 */
@Injectable()
export class AccessGrants {
  constructor(
    private readonly events: McpAuthEvents,
    private readonly requestEvents: RequestEvents,
  ) {}

  /** Whether there are listeners. */
  get areObserved(): boolean {
    return this.events.observesRequests;
  }

  /** Notes when a request was first seen, and what its head says before anything changes it. */
  see(request: object): void {
    if (this.events.observesRequests) RequestContext.of(request).beginAudit();
  }

  /**
   * Reports a request that the last layer has let through.
   *
   * @param route - the handler of Nest's route, if it is known
   * @param response - undefined if it is not known
   */
  grant(
    context: RequestContext,
    request: GrantedRequest,
    response: ServerResponse | undefined,
    route?: string,
  ): void {
    if (!this.events.observesRequests) return;
    const { audit } = context;
    audit.route ??= route;
    this.decide(context, request, response);
  }

  /** Reports a request that a layer has let through which others may follow: once one of them does, or its answer begins. */
  grantLater(context: RequestContext, request: GrantedRequest, response: ServerResponse): void {
    if (!this.events.observesRequests) return;
    const { audit } = context;
    this.readAnswer(context, request, response);
    if (audit.decide) return;
    audit.decide = () => {
      this.decide(context, context.response?.authorized.request ?? request, response);
    };
    const { decide } = audit;
    beforeHead(response, decide);
    response.once('close', decide);
  }

  /** Reports a request at once that waits for a further layer: a handler denies a part of it. */
  flush(context: RequestContext | undefined): void {
    if (context && this.events.observesRequests) context.audit.decide?.();
  }

  private decide(
    context: RequestContext,
    request: GrantedRequest,
    response: ServerResponse | undefined,
  ): void {
    const { audit, resource } = context;
    // Without a resource the route is public: nothing was decided.
    if (!resource) return;
    const auth = context.authentication?.auth;
    const body = request.body ?? context.response?.authorized.body;
    const decided: DecidedRequest = {
      audit,
      resource: resource.options.resource,
      auth,
      request,
      body,
      isLocal: false,
    };
    this.requestEvents.granted(decided);
    if (!response || !this.events.isObserved('request_completed')) return;
    this.readAnswer(context, request, response);
    this.requestEvents.awaitEnd(decided, response, (sent) => audit.answer?.(sent));
  }

  /** Reads the answer to messages, if the body of the request is known: then what encodes the answer is below. */
  private readAnswer(
    { audit }: RequestContext,
    { method, body }: GrantedRequest,
    response: ServerResponse,
  ): void {
    if (audit.answer || body === undefined || method !== 'POST') return;
    if (!this.events.isObserved('request_completed') || response.writableEnded) return;
    const reader = new AnswerReader(response);
    audit.answer = (sent) => reader.outcomeOf(sent);
  }
}
