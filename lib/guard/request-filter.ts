import { Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { RequestContext } from '../request/request-context.js';
import { corsHeaders } from '../rejection/cors-headers.js';
import { Rejections } from '../rejection/rejections.js';
import { RequestOriginRejectedError } from '../errors/rejection.errors.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { NeededScopes } from '../mcp/needed-scopes.js';
import { NO_ARGUMENTS } from '../mcp/operations.js';
import type { ScopeRequirement } from '../mcp/scope-requirement.js';
import { isSentAsJson } from '../mcp/unread-body.js';
import { policyOf } from '../policy/request-origin-policy.js';
import { after } from '../platform/after.js';
import { isFastify } from '../platform/fastify.js';
import { jsonParserOf } from '../platform/http-adapter.js';
import { nodeResponseOf, type PlatformRequest, type PlatformResponse } from '../platform/node-message.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import { isRequestTarget } from '../resource/resource-metadata-url.js';
import { AccessGrants } from '../response/access-grants.js';
import { RequestAuthenticator } from './request-authenticator.js';
import { type ParsedRequest, RequestAuthorizer } from './request-authorizer.js';
import { TenantRequests } from './tenant-requests.js';

/** A request before Nest's routes. @internal */
export type FilteredRequest = ParsedRequest & PlatformRequest;

/** No handler is known here, so there are no scopes of a handler. */
const NO_REQUIREMENTS: readonly ScopeRequirement[] = [];

/** The call that functions in requirements would get. */
const CALL = { kind: 'route', name: 'middleware', method: '', arguments: NO_ARGUMENTS } as const;

/**
 * Authenticates and authorizes requests that have not reached Nest's routes, and answers those that it rejects. The middleware
 * and the platform hooks use it.
 *
 * @internal
 */
@Injectable()
export class RequestFilter {
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    private readonly authenticator: RequestAuthenticator,
    private readonly authorizer: RequestAuthorizer,
    private readonly neededScopes: NeededScopes,
    private readonly handlerScopes: HandlerScopeRegistry,
    private readonly rejections: Rejections,
    private readonly grants: AccessGrants,
    private readonly tenants: TenantRequests,
    private readonly host: HttpAdapterHost,
  ) {}

  /**
   * Checks the form of the request target, before anything reads a path from it.
   *
   * @returns false if the request has been answered
   */
  checkTarget(target: string, request: FilteredRequest, response: PlatformResponse): boolean {
    if (isRequestTarget(target)) return true;
    const failure = new RequestOriginRejectedError('request_target');
    this.rejections.answer(failure, this.resources.first(), request, response);
    return false;
  }

  /**
   * Finds the resource of a request at the path of a declared one: the same, or that of its tenant if it is a template.
   *
   * @param goOn - gets the resource; called at once, unless the tenant must be looked up
   * @param otherwise - called if there is no such tenant, or none is known now; by default the request is answered
   */
  findResource(
    declared: ProtectedResource,
    request: FilteredRequest,
    response: PlatformResponse,
    goOn: (resource: ProtectedResource) => void,
    otherwise = (failure: unknown): void => {
      this.rejections.answer(failure, declared, request, response);
    },
  ): void {
    if (declared.options.tenants === undefined) {
      goOn(declared);
      return;
    }
    // First, so that a page whose name is made to point here causes no call of the resolver.
    if (!this.checkHost([declared], request, response)) return;
    let found: ProtectedResource | Promise<ProtectedResource>;
    try {
      found = this.tenants.resourceOf(RequestContext.of(request), request, declared);
    } catch (failure) {
      otherwise(failure);
      return;
    }
    if (found instanceof Promise) found.then(goOn, otherwise);
    else goOn(found);
  }

  /**
   * Checks only the Host, for a document that pages of any origin may read.
   *
   * @param resources - the resources that the document describes; one that allows the host is enough
   * @returns false if the request has been answered
   */
  checkHost(
    resources: readonly ProtectedResource[],
    request: FilteredRequest,
    response: PlatformResponse,
  ): boolean {
    let first: { resource: ProtectedResource; failure: unknown } | undefined;
    for (const resource of resources) {
      try {
        policyOf(resource.options).checkHost(request);
        return true;
      } catch (failure) {
        first ??= { resource, failure };
      }
    }
    if (first) this.rejections.answer(first.failure, first.resource, request, response);
    return first === undefined;
  }

  /**
   * Checks Host and Origin, and sets the CORS headers for a page of an allowed origin on the response.
   *
   * @returns the allowed origin, or true if there is none; false if the request has been answered
   */
  checkOrigin(
    resource: ProtectedResource,
    request: FilteredRequest,
    response: PlatformResponse,
  ): string | boolean {
    try {
      const origin = this.authenticator.checkOrigin(RequestContext.of(request), request, resource);
      if (origin === undefined) return true;
      for (const [name, value] of Object.entries(corsHeaders(origin)))
        nodeResponseOf(response).setHeader(name, value);
      return origin;
    } catch (failure) {
      this.rejections.answer(failure, resource, request, response);
      return false;
    }
  }

  /** Authenticates a request whose body is not read yet, and authorizes it by the scopes of its resource. */
  authorizeUnread(
    resource: ProtectedResource,
    request: FilteredRequest,
    response: PlatformResponse,
    next: () => void,
  ): void {
    const context = RequestContext.of(request);
    this.step(context, resource, request, response, next, () => {
      const node = nodeResponseOf(response);
      return after(this.authorizer.authorizeUnread(context, request, resource, node), () => {
        this.grants.grantLater(context, request, node);
        return undefined;
      });
    });
  }

  /** Authenticates and authorizes a request. Its handler comes next. */
  authorize(
    resource: ProtectedResource,
    request: FilteredRequest,
    response: PlatformResponse,
    next: () => void,
  ): void {
    const context = RequestContext.of(request);
    this.step(context, resource, request, response, next, () => {
      const node = nodeResponseOf(response);
      const route = {
        requirements: NO_REQUIREMENTS,
        authentication: undefined,
        policies: undefined,
        call: CALL,
        response: node,
        mayStream: true,
        allowsAnonymous: resource.options.allowAnonymous,
      };
      return after(this.authorizer.authorize(context, request, resource, route), () => {
        this.grants.grantLater(context, request, node);
        return undefined;
      });
    });
  }

  /**
   * Authenticates a request, reads its body with the application's own parser, and authorizes the request. The next handler
   * gets the same `body`. A body that the parser does not read is rejected if no later check authorizes it.
   *
   * @param fail - gets an error of the parser
   */
  readAndAuthorize(
    resource: ProtectedResource,
    request: FilteredRequest,
    response: PlatformResponse,
    next: () => void,
    fail: (error: unknown) => void,
  ): void {
    const parsed = (error?: unknown): void => {
      if (error === undefined) this.authorize(resource, request, response, next);
      // Not without the scopes of the resource: what gets the error may let the request through.
      else
        this.authorizeUnread(resource, request, response, () => {
          fail(error);
        });
    };
    const read = (): void => {
      // A parser of the application recognizes its types itself; reading ahead on Fastify does not.
      const isParsable = !isFastify(this.host.httpAdapter) || isSentAsJson(request);
      const parse = isParsable ? jsonParserOf(this.host.httpAdapter) : undefined;
      if (parse) parse(request, response, parsed);
      else parsed();
    };
    this.step(RequestContext.of(request), resource, request, response, read, () => undefined);
  }

  /** Whether an unread body must be read now: no later check authorizes it, or it says whether the request needs a token. */
  mustRead({ options }: ProtectedResource, { headers }: FilteredRequest): boolean {
    if (this.handlerScopes.needsBodies || options.policy !== undefined) return true;
    const hasKey = options.apiKeys && headers[options.apiKeys.header] !== undefined;
    return options.anonymousMethods.length > 0 && headers.authorization === undefined && !hasKey;
  }

  private step(
    context: RequestContext,
    resource: ProtectedResource,
    request: FilteredRequest,
    response: PlatformResponse,
    next: () => void,
    authorize: () => Promise<void> | undefined,
  ): void {
    const reject = (failure: unknown): void => {
      const named = this.neededScopes.named(failure, request.body, resource, NO_REQUIREMENTS);
      this.rejections.answer(named, resource, request, response);
    };
    const goOn = (): void => {
      RequestContext.run(request, next);
    };
    try {
      const { allowAnonymous } = resource.options;
      const authenticating = this.authenticator.authenticate(context, request, resource, allowAnonymous);
      const pending = after(authenticating, authorize);
      if (pending) {
        pending.then(goOn, reject);
        return;
      }
    } catch (failure) {
      reject(failure);
      return;
    }
    goOn();
  }
}
