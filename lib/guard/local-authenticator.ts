import { Inject, Injectable } from '@nestjs/common';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import type { LocalCall } from '../request/local-call.js';
import { RequestContext } from '../request/request-context.js';
import { toAuthInfo } from '../request/to-auth-info.js';
import { RequestEvents } from '../rejection/request-events.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { messageOf } from '../platform/mcp-nest.js';
import {
  CredentialsRejectedError,
  InsufficientScopeError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { after } from '../platform/after.js';
import { PolicyCheck } from './policy.check.js';
import { UserAuthenticationCheck } from './user-authentication.check.js';
import type { ValidatedToken } from '../policy/validate-claims.js';
import { assertClientAllowed } from '../policy/allowed-clients.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import { tokenActor } from '../policy/token-actor.js';
import { assertTimely } from '../policy/time-claims.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { HandlerPlan } from '../mcp/handler-plan.js';
import { choicesFor } from '../mcp/operation-needs.js';
import type { ScopedCall, ScopeRequirement } from '../mcp/scope-requirement.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { canonicalResource } from '../options/url-rules.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';

/** The handler of a local call, and what it needs. @internal */
export interface LocalDemand {
  readonly route: HandlerPlan;
  readonly requirements: readonly ScopeRequirement[];
  readonly call: ScopedCall;
}

/** What a caller from the option `stdio` leaves out. */
const UNSAID = {
  issuer: '',
  audience: [],
  claims: {},
  expiresAt: undefined,
  confirmation: undefined,
  actor: undefined,
} as const;

/**
 * Authenticates and authorizes calls over stdio, by the option `stdio`, and calls whose transport supplies the caller. There
 * is no token to verify: the environment or the transport vouches for the caller. Time, resource and scopes are still checked.
 *
 * @internal
 */
@Injectable()
export class LocalAuthenticator {
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    private readonly scopes: ScopePolicy,
    private readonly events: McpAuthEvents,
    private readonly requestEvents: RequestEvents,
    private readonly users: UserAuthenticationCheck,
    private readonly policies: PolicyCheck,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /**
   * @returns a promise only if a policy returns one; it rejects with what may be thrown
   * @throws one of the rejections of lib/errors
   */
  authorize({ carrier, supplied }: LocalCall, demand: LocalDemand): Promise<void> | undefined {
    if (supplied === undefined && this.mayRunWithoutCaller(demand)) {
      this.report(carrier, undefined, this.resources.first(), demand);
      return undefined;
    }
    const { token, caller } = supplied === undefined ? this.configured() : this.vouched(supplied);
    const resource = this.resourceOf(supplied, demand);
    const auth = toAuthInfo(token, caller, resource);
    // Before scopes are checked, so that a rejection says whose call it was. The guard removes it then.
    RequestContext.of(carrier).authentication = { auth, resource };
    assertClientAllowed(auth, resource.options.allowedClients);
    const { requirements, route, call } = demand;
    const { authentication, policies, annotations } = route;
    const need = { name: route.call.name, requirements, authentication, policies, annotations };
    this.users.assertSatisfied({ auth, resource }, need);
    this.assertScopes(auth, resource, demand);
    const pending = this.policies.assertLocalCallAllowed(RequestContext.of(carrier), need, call);
    return after(pending, () => {
      this.report(carrier, auth, resource, demand);
      return undefined;
    });
  }

  private report(
    carrier: object,
    auth: AuthInfo | undefined,
    { options }: ProtectedResource,
    { route }: LocalDemand,
  ): void {
    if (!this.events.observesRequests) return;
    const { audit } = RequestContext.of(carrier);
    audit.route ??= route.where;
    const { resource } = options;
    const body = messageOf(carrier);
    this.requestEvents.granted({ audit, auth, resource, body, request: undefined, isLocal: true });
  }

  private mayRunWithoutCaller(demand: LocalDemand): boolean {
    // No option says how the user has authenticated, and a policy decides on callers.
    if (demand.route.authentication || this.isDecidedByPolicy(demand)) return false;
    const { stdio } = this.options;
    if (stdio !== 'deny') return stdio === 'allow';
    if (demand.requirements.length > 0) return false;
    return demand.route.allowsAnonymous || this.resourceOf(undefined, demand).options.allowAnonymous;
  }

  private isDecidedByPolicy(demand: LocalDemand): boolean {
    if (demand.route.policies !== undefined) return true;
    // Only then it matters whose handler it is, which need not be clear for a call without a caller.
    if (!this.resources.all().some(({ options }) => options.policy)) return false;
    return this.resourceOf(undefined, demand).options.policy !== undefined;
  }

  /** Returns the caller over stdio. */
  private configured(): { token: string; caller: ValidatedToken } {
    const { stdio } = this.options;
    if (typeof stdio === 'string') throw new CredentialsRejectedError('missing_token');
    return { token: '', caller: { ...UNSAID, ...stdio, scopes: [...stdio.scopes] } };
  }

  /** Returns the caller that the transport supplies. The transport may be written in plain JavaScript. */
  private vouched(supplied: unknown): { token: string; caller: ValidatedToken } {
    const { exp, ...given } = suppliedCaller(supplied);
    const nowSeconds = this.options.now().getTime() / 1000;
    const clock = { nowSeconds, toleranceSeconds: this.options.clockToleranceSeconds };
    const expiresAt = assertTimely({ exp }, clock, { requiresExpiry: false });
    return { token: given.token, caller: { ...given, expiresAt } };
  }

  /** Returns the resource of the handler; else that of the caller, if there is one; else the only one. */
  private resourceOf(supplied: unknown, { route }: LocalDemand): ProtectedResource {
    const { resourceName: name, where } = route;
    const { resource: given } = (supplied ?? {}) as { resource?: unknown };
    const ofCaller = given instanceof URL || typeof given === 'string' ? String(given) : undefined;
    const isOfCaller = ({ options }: ProtectedResource): boolean =>
      ofCaller !== undefined && canonicalResource(options.resource) === canonicalResource(ofCaller);
    const found = name === undefined ? this.resources.all().find(isOfCaller) : undefined;
    const resource = found ?? this.resources.require(name, where);
    // A template is the resource of no caller: nothing says which tenant a call without a path is for.
    if (resource.options.tenants !== undefined || (given !== undefined && !isOfCaller(resource)))
      throw new TokenRejectedError('audience');
    return resource;
  }

  private assertScopes(
    auth: AuthInfo,
    resource: ProtectedResource,
    { route, requirements, call }: LocalDemand,
  ): void {
    const needed = choicesFor({ name: route.call.name, requirements }, call, auth);
    if (this.scopes.isSatisfied(auth, resource, needed)) return;
    throw new InsufficientScopeError(this.scopes.challenge(auth, resource, needed, 'complete'));
  }
}

/** Returns the caller that a transport supplies, with defaults for missing members. */
function suppliedCaller(
  supplied: unknown,
): Omit<ValidatedToken, 'expiresAt'> & { token: string; exp: unknown } {
  const given = (supplied ?? {}) as Partial<AuthInfo>;
  const { token = '', clientId = '', issuer = '', subject, audience = [], claims = {} } = given;
  const scopes: unknown = given.scopes;
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string'))
    throw new TokenRejectedError('malformed');
  const own = {
    scopes: [...new Set(scopes)],
    audience: [...audience],
    claims: { ...claims },
    confirmation: undefined,
    actor: tokenActor(claims),
  };
  return { token, clientId, issuer, subject, exp: given.expiresAt, ...own };
}
