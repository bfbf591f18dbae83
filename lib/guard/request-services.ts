import { Injectable, type Provider } from '@nestjs/common';
import { Rejections } from '../rejection/rejections.js';
import { IMPORTED_MODULE } from '../mcp-auth.constants.js';
import { HandlerPlans } from '../mcp/handler-plan.js';
import { MessageRules } from '../mcp/message-rules.js';
import { NeededScopes } from '../mcp/needed-scopes.js';
import { UndeclaredTools } from '../mcp/undeclared-tools.js';
import { ProtectedResourceRegistry } from '../resource/protected-resource.registry.js';
import { ResourcePaths } from '../resource/resource-paths.js';
import { WellKnownResponder } from '../resource/well-known.responder.js';
import { AccessGrants } from '../response/access-grants.js';
import { AnonymousRequests } from './anonymous-requests.js';
import { LocalAuthenticator } from './local-authenticator.js';
import { Policies } from '../request/policies.js';
import { PlatformHooks } from './platform-hooks.js';
import { PolicyCheck } from './policy.check.js';
import { RequestAuthenticator } from './request-authenticator.js';
import { RequestAuthorizer } from './request-authorizer.js';
import { RequestFilter } from './request-filter.js';
import { TenantRequests } from './tenant-requests.js';
import { TransportCheck } from './transport-check.js';
import { UserAuthenticationCheck } from './user-authentication.check.js';

/**
 * The services of the guard and the middleware. Nest creates both in the application's own modules, so the module exports only
 * this class for them.
 *
 * @internal
 */
@Injectable()
export class RequestServices {
  constructor(
    readonly plans: HandlerPlans,
    readonly resources: ProtectedResourceRegistry,
    readonly paths: ResourcePaths,
    readonly documents: WellKnownResponder,
    readonly authenticator: RequestAuthenticator,
    readonly authorizer: RequestAuthorizer,
    readonly neededScopes: NeededScopes,
    readonly localCallers: LocalAuthenticator,
    readonly filter: RequestFilter,
    readonly tenants: TenantRequests,
    readonly rejections: Rejections,
    readonly grants: AccessGrants,
    readonly policies: Policies,
  ) {}
}

/** The providers that authenticate and authorize requests. @internal */
export const REQUEST_PROVIDERS: readonly Provider[] = [
  RequestAuthenticator,
  MessageRules,
  UserAuthenticationCheck,
  PolicyCheck,
  UndeclaredTools,
  RequestAuthorizer,
  AnonymousRequests,
  NeededScopes,
  TenantRequests,
  RequestFilter,
  LocalAuthenticator,
  PlatformHooks,
  TransportCheck,
  { provide: IMPORTED_MODULE, useClass: RequestServices },
];
