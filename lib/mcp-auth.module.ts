import {
  type DynamicModule,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnModuleInit,
} from '@nestjs/common';
import { ApplicationConfig, DiscoveryModule, HttpAdapterHost, ModulesContainer } from '@nestjs/core';
import { AuthContext } from './request/auth-context.js';
import { DownstreamTokens } from './downstream/downstream-tokens.js';
import { TokenExchanges } from './downstream/token-exchanges.js';
import { ResourceTokenVerifier } from './request/resource-token.verifier.js';
import { DecisionReport } from './rejection/decision-report.js';
import { RequestEvents } from './rejection/request-events.js';
import { Rejections } from './rejection/rejections.js';
import { AUTHORIZATION_SERVER_PROVIDERS } from './authorization-server/authorization-server.providers.js';
import { AuthorizationServerRegistry } from './authorization-server/authorization-server.registry.js';
import { McpAuthConfigError } from './errors/config.error.js';
import { McpAuthEvents } from './events/mcp-auth-events.js';
import { RateLimitedLogger } from './events/rate-limited-logger.js';
import { McpAuthDiagnostics } from './diagnostics/mcp-auth-diagnostics.js';
import { TokenExplainer } from './diagnostics/token-explainer.js';
import { McpAuthStreams } from './response/mcp-auth-streams.js';
import { RESPONSE_PROVIDERS } from './response/response.providers.js';
import { AccessTokenAuthenticator } from './request/access-token.authenticator.js';
import { ClientCertificates } from './request/client-certificates.js';
import { ProofOfPossession } from './request/proof-of-possession.js';
import { OneTimeTokens } from './request/one-time-tokens.js';
import { ReplayProtection } from './request/replay-protection.js';
import { Policies } from './request/policies.js';
import { RequestUsers } from './request/request-users.js';
import { RevocationCheck } from './request/revocation.check.js';
import { AuthenticationPolicy } from './policy/authentication-policy.js';
import { ScopePolicy } from './policy/scope-policy.js';
import { VerifiedTokenCache } from './request/verified-token.cache.js';
import { BearerAuthGuard } from './guard/bearer-auth.guard.js';
import { BearerAuthMiddleware } from './guard/bearer-auth.middleware.js';
import { PlatformHooks } from './guard/platform-hooks.js';
import { REQUEST_PROVIDERS } from './guard/request-services.js';
import { ResourceReport } from './bootstrap/resource-report.js';
import {
  AUTHORIZATION_SERVER_WELL_KNOWN,
  IMPORTED_MODULE,
  MCP_AUTH_GIVEN_OPTIONS,
  MCP_AUTH_OPTIONS,
  PROTECTED_RESOURCE_WELL_KNOWN,
  WELL_KNOWN_CONTROLLERS,
} from './mcp-auth.constants.js';
import { ConfigurableModuleClass } from './mcp-auth.module-definition.js';
import { BootstrapWarnings } from './bootstrap/bootstrap-warnings.js';
import { HandlerRegistration } from './bootstrap/handler-registration.js';
import { BOOTSTRAP_PROVIDERS } from './bootstrap/bootstrap.providers.js';
import { StepUpFilter } from './response/step-up.filter.js';
import { HandlerScan } from './bootstrap/handler-scan.js';
import { assertSingleModule } from './bootstrap/single-module.js';
import type {
  McpAuthModuleAsyncOptions,
  McpAuthModuleExtras,
  McpAuthModuleOptions,
} from './options/mcp-auth-options.js';
import { resolveOptions } from './options/resolve-options.js';
import { wholeTree } from './platform/http-adapter.js';
import { dropModulePath, setPaths } from './platform/nest-metadata.js';
import { excludeFromPrefix } from './platform/nest-prefix.js';
import { LegacyMirror } from './resource/legacy-mirror.js';
import { ProtectedResourceRegistry } from './resource/protected-resource.registry.js';
import { WellKnownResponder } from './resource/well-known.responder.js';
import { ResourcePaths } from './resource/resource-paths.js';
import { TenantResources } from './resource/tenant-resources.js';
import type { WellKnownControllers } from './resource/well-known.controllers.js';
import { IntrospectionTokenVerifier } from './token/introspection-token.verifier.js';
import { IssuerTokenVerifier } from './token/issuer-token.verifier.js';
import { JwtTokenVerifier } from './token/jwt-token.verifier.js';
import { TokenVerifier } from './options/token.verifier.js';
import { VerifierRegistry } from './token/verifier.registry.js';
import { OperatorLogger } from './events/operator.logger.js';

const ASYNC_FORMS = ['useFactory', 'useClass', 'useExisting'] as const;

/**
 * Turns a Nest application into an OAuth 2.1 resource server for the Model Context Protocol.
 *
 * At bootstrap it checks its options, resolves the authorization servers and publishes RFC 9728 metadata for each resource;
 * {@link BearerAuthGuard} then authenticates and authorizes requests. If any of these steps fails, the application does not
 * start.
 *
 * @publicApi
 */
@Module({
  imports: [DiscoveryModule],
  providers: [
    { provide: MCP_AUTH_OPTIONS, useFactory: resolveOptions, inject: [MCP_AUTH_GIVEN_OPTIONS] },
    { provide: TokenVerifier, useClass: IssuerTokenVerifier },
    ...AUTHORIZATION_SERVER_PROVIDERS,
    JwtTokenVerifier,
    IntrospectionTokenVerifier,
    VerifierRegistry,
    ProtectedResourceRegistry,
    ResourcePaths,
    TenantResources,
    LegacyMirror,
    WellKnownResponder,
    McpAuthEvents,
    RateLimitedLogger,
    VerifiedTokenCache,
    RevocationCheck,
    ReplayProtection,
    OneTimeTokens,
    ClientCertificates,
    ProofOfPossession,
    RequestUsers,
    Policies,
    AccessTokenAuthenticator,
    ScopePolicy,
    AuthenticationPolicy,
    ResourceTokenVerifier,
    RequestEvents,
    DecisionReport,
    Rejections,
    TokenExplainer,
    McpAuthDiagnostics,
    ...BOOTSTRAP_PROVIDERS,
    ...RESPONSE_PROVIDERS,
    BearerAuthGuard,
    BearerAuthMiddleware,
    ...REQUEST_PROVIDERS,
    AuthContext,
    TokenExchanges,
    DownstreamTokens,
  ],
  exports: [
    BearerAuthGuard,
    BearerAuthMiddleware,
    AuthContext,
    DownstreamTokens,
    IMPORTED_MODULE,
    ResourceTokenVerifier,
    TokenVerifier,
    McpAuthDiagnostics,
    McpAuthEvents,
    McpAuthStreams,
    MCP_AUTH_OPTIONS,
  ],
})
export class McpAuthModule implements NestModule, OnModuleInit {
  private readonly logger = new OperatorLogger();

  /** @internal */
  constructor(
    private readonly applicationConfig: ApplicationConfig,
    private readonly modules: ModulesContainer,
    private readonly servers: AuthorizationServerRegistry,
    private readonly resources: ProtectedResourceRegistry,
    private readonly handlers: HandlerRegistration,
    private readonly hooks: PlatformHooks,
    private readonly host: HttpAdapterHost,
    private readonly scan: HandlerScan,
    private readonly mirror: LegacyMirror,
    private readonly warnings: BootstrapWarnings,
    private readonly resourceReport: ResourceReport,
    @Inject(WELL_KNOWN_CONTROLLERS) private readonly controllers: WellKnownControllers,
  ) {}

  /** Configures the module with options that are known when the class is decorated. */
  static forRoot(options: McpAuthModuleOptions & McpAuthModuleExtras): DynamicModule {
    return { ...ConfigurableModuleClass.forRoot(options), module: McpAuthModule };
  }

  /**
   * Configures the module with options from a factory, a class or an existing provider.
   *
   * @throws {@link McpAuthConfigError} unless exactly one of them is given
   */
  static forRootAsync(options: McpAuthModuleAsyncOptions): DynamicModule {
    const given = ASYNC_FORMS.filter((form) => options[form] !== undefined);
    if (given.length !== 1) {
      const found = given.length === 0 ? 'none' : given.join(' and ');
      const message = `needs exactly one of ${ASYNC_FORMS.join(', ')}; got ${found}`;
      throw new McpAuthConfigError([{ path: 'forRootAsync()', message }]);
    }
    return { ...ConfigurableModuleClass.forRootAsync(options), module: McpAuthModule };
  }

  /**
   * Nest calls this after `setGlobalPrefix()` and its body parsers, and before it makes routes.
   */
  configure(consumer: MiddlewareConsumer): void {
    const { serve } = this.controllers.resources.prototype as { serve: object };
    setPaths(serve, wholeTree(this.host.httpAdapter.getType()));
    // Clients look for well-known routes at the root of the origin, so RouterModule and the global prefix do not apply to
    // them.
    dropModulePath(McpAuthModule);
    excludeFromPrefix(this.applicationConfig, PROTECTED_RESOURCE_WELL_KNOWN, '(/|$)');
    this.routeMirror();
    // The last global filter runs first.
    this.applicationConfig.addGlobalFilter(new StepUpFilter(this.host.httpAdapter));
    this.hooks.installAfterBodies(consumer);
  }

  /** Routes the document; a route of the application at the same path takes precedence. */
  private routeMirror(): void {
    const { mirror } = this.controllers;
    setPaths(mirror, []);
    if (!this.mirror.isWanted) return;
    const own = this.scan.routes().find(({ paths }) => paths.includes(AUTHORIZATION_SERVER_WELL_KNOWN));
    if (own) {
      this.mirror.yieldTo(own.where);
      return;
    }
    setPaths(mirror, [AUTHORIZATION_SERVER_WELL_KNOWN]);
    excludeFromPrefix(this.applicationConfig, AUTHORIZATION_SERVER_WELL_KNOWN, '/?$');
  }

  /** Runs discovery, then the audit of handlers, then publishes the documents: each step needs the previous one. */
  async onModuleInit(): Promise<void> {
    assertSingleModule(this.modules);
    // Without HTTP no token arrives, so no authorization server is needed.
    await this.servers.discover(Boolean(this.host.httpAdapter as object | null));
    const guards = this.globalGuards();
    const handlers = this.handlers.register(guards);
    this.resources.publish();
    this.resourceReport.write(guards);
    const legacy = this.mirror.choose();
    for (const warning of [...legacy, ...this.warnings.of(guards, handlers)]) this.logger.warn(warning);
  }

  /** Returns instances, or classes if each request has its own instance. */
  private globalGuards(): readonly unknown[] {
    const requestGuards = this.applicationConfig.getGlobalRequestGuards().map(({ metatype }) => metatype);
    return [...this.applicationConfig.getGlobalGuards(), ...requestGuards];
  }
}
