import { type HttpServer, Inject, Injectable } from '@nestjs/common';
import { RequestContext } from '../request/request-context.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type PlatformResponse, takeResponse } from '../platform/node-message.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { isAtResource } from '../resource/resource-endpoint.js';
import { BearerException } from './bearer.exception.js';
import { DecisionReport, type Rejection } from './decision-report.js';
import { presentedScheme } from './presented-token.js';
import { answerTo } from './rejection-answers.js';
import { isJsonRpcRejection, requestIdOf } from './rejection-body.js';
import { type RejectionResponse, rejectionResponse } from './rejection-response.js';
import { challengedCall, chosenForm, toolChallengeResponse } from './tool-challenge.js';
import { writeRejection } from './write-rejection.js';

/** The part of a platform's request that a rejection depends on. */
type RejectedRequest = object & {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
  readonly method?: string | undefined;
  readonly originalUrl?: string | undefined;
  readonly url?: string | undefined;
};

/**
 * Converts every failure to a rejection, with status, challenge and body, and reports it.
 *
 * @internal
 */
@Injectable()
export class Rejections {
  constructor(
    private readonly report: DecisionReport,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /** Writes a rejection to Node's response and reports it, for a request that reaches no guard of Nest. */
  answer(
    failure: unknown,
    resource: ProtectedResource,
    request: RejectedRequest,
    response: PlatformResponse,
  ): void {
    const rejection = this.response(failure, resource, request);
    const auth = RequestContext.find(request)?.withdraw(request);
    const node = takeResponse(response);
    this.tell(failure, resource, { request, auth, response: node, body: request.body });
    // The request may have been answered while the token was verified, for example by a time limit.
    if (!node.headersSent) writeRejection(node, rejection);
  }

  /**
   * Returns the response to a request. Neither reports nor sends it.
   *
   * @param body - the parsed body, if the request does not have it; called only if the response depends on it
   */
  response(
    failure: unknown,
    resource: ProtectedResource,
    request: RejectedRequest | undefined,
    body = (): unknown => request?.body,
  ): RejectionResponse {
    return (
      this.toolChallenge(failure, resource, request, body) ??
      this.httpResponse(failure, resource, request, body)
    );
  }

  private httpResponse(
    failure: unknown,
    resource: ProtectedResource,
    request: RejectedRequest | undefined,
    body: () => unknown,
  ): RejectionResponse {
    const id = isJsonRpcRejection(failure, this.options) ? requestIdOf(body()) : null;
    const scheme = resource.options.dpop && presentedScheme(request);
    return rejectionResponse(failure, resource, this.options, id, scheme);
  }

  /** Returns the result with the challenge, if the option `toolChallenge` chooses that form and the request can have it. */
  private toolChallenge(
    failure: unknown,
    resource: ProtectedResource,
    request: RejectedRequest | undefined,
    body: () => unknown,
  ): RejectionResponse | undefined {
    const { toolChallenge } = this.options;
    if (toolChallenge === 'http' || !request || !isToEndpoint(request, resource)) return undefined;
    const call = challengedCall(failure, request, body);
    if (!call) return undefined;
    const form = chosenForm(toolChallenge, {
      resource: resource.options.resource,
      tool: call.tool,
      clientId: RequestContext.find(request)?.authentication?.auth.clientId,
      userAgent: text(request.headers?.['user-agent']),
    });
    if (form instanceof Error) this.report.failedChoice(form);
    return form === 'result' ? toolChallengeResponse(call, resource, this.options) : undefined;
  }

  /**
   * Returns the exception to throw, and sets its headers on the platform's response. Does not report.
   *
   * @param response - undefined if a handler is called within another request; the exception then has its own HTTP status
   */
  exception(
    failure: unknown,
    resource: ProtectedResource,
    request: RejectedRequest | undefined,
    response: unknown,
    adapter: Pick<HttpServer, 'setHeader'>,
  ): BearerException {
    const rejection =
      response === undefined
        ? this.httpResponse(failure, resource, request, () => request?.body)
        : this.response(failure, resource, request);
    if (response !== undefined) {
      for (const [name, value] of Object.entries(rejection.headers)) {
        // Both platforms take a list for a header with several lines.
        adapter.setHeader(response, name, value as string);
      }
    }
    return new BearerException(rejection, failure);
  }

  /**
   * Reports a rejection to listeners and to the log, with its HTTP status, even if a tool result carries its challenge.
   *
   * @param rejected - what is rejected
   */
  tell(
    failure: unknown,
    resource: ProtectedResource,
    rejected: Omit<Rejection, 'failure' | 'status' | 'resource'>,
  ): void {
    const { status } = answerTo(failure, resource, this.options);
    const { options } = resource;
    this.report.rejected({ ...rejected, failure, status, resource: options.resource, options });
  }
}

/**
 * Whether a request is for the MCP endpoint. Status 200 means something else to the caller of another route, such as a proxy
 * that asks there whether to pass a request on.
 */
function isToEndpoint(request: RejectedRequest, resource: ProtectedResource): boolean {
  return request.method === 'POST' && isAtResource(request, resource);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
