import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type IncomingMessage, type ServerResponse } from 'node:http';
import { runForRequest } from '../auth-info/current-request.js';
import { recordUndecided, withdrawAdmission } from '../auth-info/request-auth.js';
import { corsHeaders } from '../challenge/cors-headers.js';
import { isJsonRpcRefusal, requestIdOf } from '../challenge/refusal-body.js';
import { refusalResponse } from '../challenge/refusal-response.js';
import { writeRefusal } from '../challenge/write-refusal.js';
import { MessageRefusedError, RequestOriginRefusedError } from '../errors/refusal.errors.js';
import { IMPORTED_MODULE, MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { hasUnreadMessage, isSentAsJson } from '../mcp/unread-body.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { policyOf } from '../origin/request-origin-policy.js';
import { hasRequestsOfItsOwn, type PlatformRequest } from '../platform/hooks.js';
import { jsonParserOf } from '../platform/json-parser.js';
import {
  nodeRequestOf,
  nodeResponseOf,
  type PlatformResponse,
  takeResponse,
} from '../platform/node-message.js';
import {
  type KnownResource,
  ProtectedResourceRegistry,
} from '../resource-metadata/protected-resource.registry.js';
import { isRequestTarget } from '../resource-metadata/resource-metadata-url.js';
import { ResourcePaths } from '../resource-metadata/resource-paths.js';
import { WellKnownResponder } from '../resource-metadata/well-known.responder.js';
import { GuardReport } from './guard-report.js';
import { type AuthenticatedRequest, RequestAuthenticator } from './request-authenticator.js';

/** What functions in requirements would be told. A middleware knows no handler, so none asks for scopes of its own. */
const CALL = { kind: 'route', name: 'middleware', method: '', arguments: {} } as const;

/**
 * {@link BearerAuthGuard} for what no Nest guard covers: routes that a library mounts on the platform, or an Express
 * handler of your own.
 *
 * Answers refusals itself, with the same status, headers and body as the guard.
 *
 * If an `McpHandlerSource` declares scopes, or with `undeclaredTools: 'deny'`, it decides on what the body asks for before
 * the request goes on. A body that is not parsed yet is read first, for callers with a good token only:
 *
 * - On Express by the JSON parser that the application has for all paths. What comes next gets the parsed `body`. Without
 *   such a parser the request is rejected with 500.
 * - On Fastify ahead of Fastify, up to its `bodyLimit`. What comes next gets the parsed `body` and the same bytes. Compressed
 *   bodies are rejected.
 *
 * A body that is not sent as `application/json` is rejected with 415 unless it has been parsed before, and one that is no
 * JSON, or is too large, with 400.
 *
 * A string in `forRoutes()` covers that path and what is below it, on both platforms. A controller, or a path with a method,
 * covers its own paths only. On Fastify give `consumer.apply()` this class: a function that calls `use()` covers exactly the
 * string.
 *
 * With several resources, the one whose path the request is at or below is meant. The middleware serves the metadata
 * documents itself, so they need no token, and no handler behind it sees a request for one.
 *
 * @example
 * ```ts
 * consumer.apply(BearerAuthMiddleware).forRoutes('reports');
 *
 * const bearerAuth = app.get(BearerAuthMiddleware);
 * app.use('/reports', (req, res, next) => bearerAuth.use(req, res, next), reports);
 * ```
 * @publicApi
 */
@Injectable()
export class BearerAuthMiddleware implements NestMiddleware<IncomingMessage, ServerResponse> {
  /** @internal */
  constructor(
    @Inject(IMPORTED_MODULE) private readonly resources: ProtectedResourceRegistry,
    private readonly paths: ResourcePaths,
    private readonly authenticator: RequestAuthenticator,
    private readonly report: GuardReport,
    private readonly documents: WellKnownResponder,
    private readonly host: HttpAdapterHost,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /**
   * Lets a request through, or answers it.
   *
   * @throws {@link McpAuthConfigError} when the request's path belongs to none of several resources
   */
  use(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    // Routers cut off the path that they have matched.
    const target = (request as AuthenticatedRequest).originalUrl ?? request.url ?? '';
    if (!this.admitsTarget(target, request, response)) return;
    if (this.documents.servesAt(target)) {
      const { method = '', headers } = request;
      this.documents.respond({ method, headers, originalUrl: target }, response).catch((failure: unknown) => {
        this.refuse(failure, this.resources.first(), request, response);
      });
      return;
    }
    const resource = this.paths.find(target) ?? this.resources.require(undefined, 'BearerAuthMiddleware');
    if (!this.admitsOrigin(resource, request, response)) return;
    if (!hasUnreadMessage(request)) {
      this.authenticate(resource, request, response, next);
      return;
    }
    this.authenticate(resource, request, response, () => {
      // For what a parser behind this makes of the body.
      recordUndecided(request, resource);
      if (!this.authenticator.needsBodies) next();
      else
        this.decide(resource, request, response, next, (failure) => {
          // Not handed on: what comes next may be a handler that takes no errors.
          this.refuse(parserRefusal(failure), resource, request, response);
        });
    });
  }

  /**
   * Decides on what the body of an authenticated request asks for, as the application's own parser reads it: what comes next
   * is handed the same `body`. A body that the parser does not read is rejected if nothing else decides on it.
   *
   * @param fail - told of an error of the parser
   * @internal
   */
  decide(
    resource: KnownResource,
    request: AuthenticatedRequest & PlatformRequest,
    response: PlatformResponse,
    next: () => void,
    fail: (error: unknown) => void,
  ): void {
    const decided = (error?: unknown): void => {
      if (error === undefined) this.authenticate(resource, request, response, next, true);
      else fail(error);
    };
    const parse = isParsable(request, this.host.httpAdapter)
      ? jsonParserOf(this.host.httpAdapter)
      : undefined;
    if (parse) parse(request, response, decided);
    else decided();
  }

  /**
   * Decides on the form of the request target, before anything reads a path from it.
   *
   * @returns false where the request has been answered
   * @internal
   */
  admitsTarget(target: string, request: AuthenticatedRequest & object, response: PlatformResponse): boolean {
    if (isRequestTarget(target)) return true;
    this.refuse(new RequestOriginRefusedError('request_target'), this.resources.first(), request, response);
    return false;
  }

  /**
   * Decides on Host alone, for a document that is for pages of any origin.
   *
   * @param resources - those that the document is for; one that allows the host is enough
   * @returns false where the request has been answered
   * @internal
   */
  admitsHost(
    resources: readonly KnownResource[],
    request: AuthenticatedRequest & object,
    response: PlatformResponse,
  ): boolean {
    const refusals: [KnownResource, unknown][] = [];
    for (const resource of resources) {
      try {
        policyOf(resource.options).checkHost(request);
        return true;
      } catch (failure) {
        refusals.push([resource, failure]);
      }
    }
    const [first] = refusals;
    if (!first) return true;
    this.refuse(first[1], first[0], request, response);
    return false;
  }

  /**
   * Decides on Origin and Host, and says in the response what a page of an allowed origin may read.
   *
   * @returns the allowed origin, or true where there is none; false where the request has been answered
   * @internal
   */
  admitsOrigin(
    resource: KnownResource,
    request: AuthenticatedRequest & object,
    response: PlatformResponse,
  ): string | boolean {
    try {
      const origin = policyOf(resource.options).check(request);
      if (origin === undefined) return true;
      for (const [name, value] of Object.entries(corsHeaders(origin)))
        nodeResponseOf(response).setHeader(name, value);
      return origin;
    } catch (failure) {
      this.refuse(failure, resource, request, response);
      return false;
    }
  }

  /**
   * @param isLast - whether handlers come next, and no body parser of the platform
   * @internal
   */
  authenticate(
    resource: KnownResource,
    request: AuthenticatedRequest & object,
    response: PlatformResponse,
    next: () => void,
    isLast = false,
  ): void {
    const refuse = (failure: unknown): void => {
      this.refuse(failure, resource, request, response);
    };
    const goOn = (): void => {
      runForRequest(nodeRequestOf(request), next);
    };
    let pending: Promise<void> | undefined;
    try {
      const { allowAnonymous } = resource.options;
      const node = nodeResponseOf(response);
      // Spelled out: to spread a constant into it takes the engine longer than all else here.
      const rules = {
        resource,
        requirements: [],
        call: CALL,
        allowsAnonymous: allowAnonymous,
        isLast,
        response: node,
      };
      pending = this.authenticator.admit(request, rules);
    } catch (failure) {
      refuse(failure);
      return;
    }
    if (pending) pending.then(goOn, refuse);
    else goOn();
  }

  private refuse(
    failure: unknown,
    resource: KnownResource,
    request: AuthenticatedRequest & object,
    response: PlatformResponse,
  ): void {
    const id = isJsonRpcRefusal(failure, this.options) ? requestIdOf(request.body) : null;
    const refusal = refusalResponse(failure, resource, this.options, id);
    const { status } = refusal;
    const auth = withdrawAdmission(request);
    this.report.refused({ failure, status, resource: resource.options.resource, auth, request });
    const node = takeResponse(response);
    // Something else may have answered while the token was verified, such as a time limit.
    if (!node.headersSent) writeRefusal(node, refusal);
  }
}

/** Whether a body is worth reading: a parser of the application knows its types by itself, reading ahead does not. */
function isParsable(request: AuthenticatedRequest, adapter: HttpAdapterHost['httpAdapter']): boolean {
  return !hasRequestsOfItsOwn(adapter) || isSentAsJson(request);
}

/** The rejection for an error of a body parser: of the client's fault if its status says so. */
function parserRefusal(error: unknown): unknown {
  const { status, statusCode = status } = error as { status?: unknown; statusCode?: unknown };
  if (typeof statusCode !== 'number' || statusCode >= 500) return error;
  return new MessageRefusedError(statusCode === 415 ? 'media_type' : 'not_a_message');
}
