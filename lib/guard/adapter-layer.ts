import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { runForRequest } from '../auth-info/auth-context.js';
import { admissionOf, presentCaller } from '../auth-info/request-auth.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { addBeforeMiddleware, addHook, hasRequestsOfItsOwn, type Hook } from '../platform/hooks.js';
import { nodeRequestOf } from '../platform/node-message.js';
import { ResourcePaths } from '../resource-metadata/resource-paths.js';
import { WellKnownResponder } from '../resource-metadata/well-known.responder.js';
import { BearerAuthMiddleware } from './bearer-auth.middleware.js';

/**
 * What stands before all routes of the application, those that libraries mount on the platform included: every request
 * is tied to {@link AuthContext}, preflights of metadata documents are answered and, with `earlyAuthentication`, requests
 * to a protected resource are authenticated before their body is read.
 *
 * It is put on the platform as soon as there is one: before what an application adds after `NestFactory.create()`.
 *
 * @internal
 */
@Injectable()
export class AdapterLayer {
  constructor(
    private readonly host: HttpAdapterHost,
    private readonly paths: ResourcePaths,
    private readonly responder: WellKnownResponder,
    private readonly middleware: BearerAuthMiddleware,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {
    if (options.earlyAuthentication) assertPathsDiffer(paths);
    // A testing module makes its providers before it has a platform.
    const adapter = host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter) this.installFirst();
    else
      host.init$.subscribe(() => {
        this.installFirst();
      });
  }

  /**
   * Meets requests again once bodies are read, before routes. To be called between the two: when Nest configures
   * middleware.
   */
  installAfterBodies(): void {
    const { httpAdapter } = this.host;
    if (!hasRequestsOfItsOwn(httpAdapter)) addHook(httpAdapter, 'preHandler', this.again);
  }

  private installFirst(): void {
    const { httpAdapter } = this.host;
    addHook(httpAdapter, 'onRequest', this.first);
    if (this.options.earlyAuthentication) addBeforeMiddleware(httpAdapter, this.first);
    // Fastify knows its time by its name. At once, as a plugin takes over the hooks that are there when it is registered.
    if (hasRequestsOfItsOwn(httpAdapter)) addHook(httpAdapter, 'preHandler', this.again);
  }

  private readonly first: Hook = (request, response, next) => {
    runForRequest(nodeRequestOf(request), () => {
      this.receive(request, response, next);
    });
  };

  /**
   * A parser of the application may have left the request's context, and a middleware knows Node's request only. What a
   * request asks for is known in full now, so with `earlyAuthentication` its scopes are decided on again.
   */
  private readonly again: Hook = (request, response, next) => {
    runForRequest(nodeRequestOf(request), () => {
      const admission = admissionOf(request);
      if (admission) presentCaller(request, admission.auth);
      if (this.options.earlyAuthentication) this.authenticate(request, response, next);
      else next();
    });
  };

  private readonly receive: Hook = (request, response, next) => {
    if (this.responder.respondToPreflight(request, response)) return;
    if (this.options.earlyAuthentication) this.authenticate(request, response, next);
    else next();
  };

  private readonly authenticate: Hook = (request, response, next) => {
    const { url = '' } = request;
    const resource = this.paths.isWellKnown(url) ? undefined : this.paths.find(url);
    if (resource) this.middleware.protect(resource, request, response, next);
    else next();
  };
}

/** @throws {@link McpAuthConfigError} when the path of a request does not say for which resource it is */
function assertPathsDiffer({ ambiguous }: ResourcePaths): void {
  if (ambiguous.length === 0) return;
  const names = ambiguous.map(({ options }) => `"${options.resource}"`).join(', ');
  const message = `goes by paths, and these resources have the same: ${names}; leave it out, or give each a path of its own`;
  throw new McpAuthConfigError([{ path: 'earlyAuthentication', message }]);
}
