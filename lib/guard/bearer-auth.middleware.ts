import { Inject, Injectable, type NestMiddleware } from '@nestjs/common';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestContext } from '../request/request-context.js';
import { MessageRejectedError } from '../errors/rejection.errors.js';
import { IMPORTED_MODULE } from '../mcp-auth.constants.js';
import { hasUnreadMessage } from '../mcp/unread-body.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { FilteredRequest } from './request-filter.js';
import type { RequestServices } from './request-services.js';

/**
 * {@link BearerAuthGuard} as a middleware, for routes that no Nest guard covers. Such are routes that a library mounts on the
 * platform, and Express handlers of your own.
 *
 * Answers rejections itself, with the same status, headers and body as the guard.
 *
 * If an `McpHandlerSource` declares scopes, or with `undeclaredTools: 'deny'`, it authorizes the operations in the body before
 * the request continues. If the body is not parsed yet, it is read first, only for callers with a valid token and, at a
 * resource with `anonymousMethods`, for those without one:
 *
 * - On Express with the application's JSON parser for all paths. The next handler gets the parsed `body`. Without such a
 * parser the request is rejected with 500.
 * - On Fastify before Fastify reads it, up to its `bodyLimit`. The next handler gets the parsed `body` and the same bytes.
 * Compressed bodies are rejected.
 *
 * A body that is not sent as `application/json` is rejected with 415 unless it has been parsed before. A body that is not
 * JSON, or is too large, is rejected with 400.
 *
 * A string in `forRoutes()` covers that path and all paths below it, on both platforms. A controller, or a path with a method,
 * covers only its own paths. On Fastify pass this class to `consumer.apply()`: a function that calls `use()` covers exactly
 * the string.
 *
 * With several resources, the middleware protects the one whose path the request is at or below. The middleware serves the
 * metadata documents itself, so they need no token, and no handler behind it gets a request for one.
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
  constructor(@Inject(IMPORTED_MODULE) private readonly services: RequestServices) {}

  /**
   * Passes a request on, or answers it.
   *
   * @throws {@link McpAuthConfigError} if the request's path belongs to none of several resources
   */
  use(request: IncomingMessage, response: ServerResponse, next: () => void): void {
    // Routers remove the path that they have matched.
    const { documents, filter, paths, resources } = this.services;
    const target = (request as FilteredRequest).originalUrl ?? request.url ?? '';
    if (!filter.checkTarget(target, request, response)) return;
    if (documents.servesAt(target)) {
      this.serveDocument(target, request, response);
      return;
    }
    const declared = paths.find(target) ?? resources.require(undefined, 'BearerAuthMiddleware');
    filter.findResource(declared, request, response, (resource) => {
      this.protect(resource, request, response, next);
    });
  }

  private protect(
    resource: ProtectedResource,
    request: IncomingMessage,
    response: ServerResponse,
    next: () => void,
  ): void {
    const { filter, rejections } = this.services;
    if (filter.checkOrigin(resource, request, response) === false) return;
    if (!hasUnreadMessage(request)) {
      filter.authorize(resource, request, response, next);
      return;
    }
    const goOn = (): void => {
      // Authorizes the body after a later parser has read it.
      RequestContext.of(request).awaitsBody = resource;
      next();
    };
    // Not passed on: the next handler may not accept errors.
    const fail = (failure: unknown): void => {
      rejections.answer(parserFailure(failure), resource, request, response);
    };
    if (filter.mustRead(resource, request)) filter.readAndAuthorize(resource, request, response, goOn, fail);
    else filter.authorizeUnread(resource, request, response, goOn);
  }

  private serveDocument(target: string, request: IncomingMessage, response: ServerResponse): void {
    const { documents, rejections, resources } = this.services;
    const { method = '', headers } = request;
    documents.respond({ method, headers, originalUrl: target }, response).catch((failure: unknown) => {
      rejections.answer(failure, resources.first(), request, response);
    });
  }
}

/** Returns the rejection for an error of a body parser: the client's fault if the error's status says so. */
function parserFailure(error: unknown): unknown {
  const { status, statusCode = status } = error as { status?: unknown; statusCode?: unknown };
  if (typeof statusCode !== 'number' || statusCode >= 500) return error;
  return new MessageRejectedError(statusCode === 415 ? 'media_type' : 'not_a_message');
}
