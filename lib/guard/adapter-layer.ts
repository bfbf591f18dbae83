import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { runForRequest } from '../auth-info/auth-context.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { addHook, type Hook } from '../platform/hooks.js';
import { nodeRequestOf } from '../platform/node-message.js';
import { correctPreflights } from '../platform/preflights.js';
import { ResourcePaths } from '../resource-metadata/resource-paths.js';
import { WellKnownResponder } from '../resource-metadata/well-known.responder.js';
import { BearerAuthMiddleware } from './bearer-auth.middleware.js';

/** Documents for everybody, whatever resource stands above. */
const WELL_KNOWN = '/.well-known/';

/**
 * What stands before all routes of the application, those that libraries mount on the platform included: every request
 * is tied to {@link AuthContext}, what does not read a metadata document is answered and, with `earlyAuthentication`, requests
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
    // A testing module makes its providers before it has a platform.
    const adapter = host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    if (adapter) this.installFirst();
    else
      host.init$.subscribe(() => {
        this.installFirst();
      });
  }

  /**
   * Has requests decided on again once bodies are read, by the scopes that they ask for. To be called between the body
   * parsers and the routes: when Nest configures middleware.
   */
  installAfterBodies(): void {
    if (this.options.earlyAuthentication) addHook(this.host.httpAdapter, 'preHandler', this.authenticate);
  }

  private installFirst(): void {
    correctPreflights(this.host.httpAdapter, (request) => this.responder.earlyResponse(request));
    addHook(this.host.httpAdapter, 'onRequest', (request, response, next) => {
      runForRequest(nodeRequestOf(request), () => {
        this.receive(request, response, next);
      });
    });
  }

  private readonly receive: Hook = (request, response, next) => {
    if (this.responder.respondEarly(request, response)) return;
    if (this.options.earlyAuthentication) this.authenticate(request, response, next);
    else next();
  };

  private readonly authenticate: Hook = (request, response, next) => {
    const { url = '' } = request;
    const resource = url.startsWith(WELL_KNOWN) ? undefined : this.paths.find(url);
    if (resource) this.middleware.protect(resource, request, response, next);
    else next();
  };
}
