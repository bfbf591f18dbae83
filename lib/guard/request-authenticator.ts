import { Injectable } from '@nestjs/common';
import type { ResolvedApiKeyOptions } from '../options/resolved-options.interface.js';
import { OneTimeTokens } from '../request/one-time-tokens.js';
import { RequestContext } from '../request/request-context.js';
import { RequestUsers } from '../request/request-users.js';
import { toAuthInfo } from '../request/to-auth-info.js';
import { DecisionReport } from '../rejection/decision-report.js';
import { AccessTokenAuthenticator } from '../request/access-token.authenticator.js';
import { type PresentedToken, ProofOfPossession } from '../request/proof-of-possession.js';
import type { ValidatedToken } from '../policy/validate-claims.js';
import { policyOf } from '../policy/request-origin-policy.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { forApiKeys } from '../resource/api-key-resource.js';
import { apiKeysIn, extractApiKey } from '../token/api-key.js';
import { type CredentialRequest, credentialSources } from '../token/credential-sources.js';
import { extractToken, isOfDpop } from '../token/extract-token.js';

/**
 * Authenticates a request: Host and Origin, then the credential, then the token. Each is checked once for a request and a
 * resource, however many layers need the result.
 *
 * @internal
 */
@Injectable()
export class RequestAuthenticator {
  constructor(
    private readonly tokens: AccessTokenAuthenticator,
    private readonly possession: ProofOfPossession,
    private readonly oneTimeTokens: OneTimeTokens,
    private readonly report: DecisionReport,
    private readonly users: RequestUsers,
  ) {}

  /**
   * Checks Host and Origin.
   *
   * @returns the allowed origin as sent; undefined if the request has none
   * @throws {@link RequestOriginRejectedError}
   */
  checkOrigin(
    context: RequestContext,
    request: CredentialRequest,
    resource: ProtectedResource,
  ): string | undefined {
    if (context.origin?.resource === resource) return context.origin.allowed;
    const allowed = policyOf(resource.options).check(request);
    context.origin = { resource, allowed };
    return allowed;
  }

  /**
   * Verifies the token and records the caller. Returns no promise if nothing needs to be awaited: for a cached bearer
   * token, and without one.
   *
   * @param allowsAnonymous - whether any request without credentials passes. At a resource with `anonymousMethods`, all of them
   * pass here, and the authorizer decides on what they ask for
   * @throws one of the errors of lib/errors, or an unexpected error, for example if the caller cannot be stored on the request;
   * the promise rejects with the same
   */
  authenticate(
    context: RequestContext,
    request: PresentedToken['request'],
    resource: ProtectedResource,
    allowsAnonymous: boolean,
  ): Promise<void> | undefined {
    if (this.isAuthenticated(context, request, resource)) return undefined;
    const sources = credentialSources(request);
    const { apiKeys } = resource.options;
    if (apiKeys) {
      const keys = apiKeysIn(request, apiKeys.header);
      if (keys.length > 0)
        return this.authenticateKey(context, request, () => extractApiKey(keys, sources), resource, apiKeys);
    }
    if (
      sources.authorization.length === 0 &&
      (allowsAnonymous || resource.options.anonymousMethods.length > 0)
    ) {
      context.assertNonePresented(request);
      context.openFor(resource);
      return undefined;
    }
    const scheme = resource.options.dpop && isOfDpop(sources) ? 'dpop' : 'bearer';
    const token = extractToken(sources, scheme);
    const presented = { token, scheme, request } as const;
    const verified = this.tokens.authenticate(token, resource);
    if (!(verified instanceof Promise)) return this.conclude(context, presented, verified, resource);
    return verified.then((later) => this.conclude(context, presented, later, resource));
  }

  /** The caller gets no token: nothing that has it may send the key elsewhere. */
  private authenticateKey(
    context: RequestContext,
    request: object,
    extract: () => string,
    resource: ProtectedResource,
    apiKeys: ResolvedApiKeyOptions,
  ): Promise<void> | undefined {
    // First: what is reported of a rejection depends on it.
    context.apiKeyHeader = apiKeys.header;
    const verified = this.tokens.authenticate(extract(), forApiKeys(resource, apiKeys));
    if (!(verified instanceof Promise)) {
      this.record(context, request, '', verified, resource);
      return undefined;
    }
    return verified.then((later) => {
      this.record(context, request, '', later, resource);
    });
  }

  /** Presents the caller again if there is one for this resource; else removes the result of another layer. */
  private isAuthenticated(context: RequestContext, request: object, resource: ProtectedResource): boolean {
    const known = context.authentication;
    const presented = context.presented(request);
    const isKnown = known?.resource === resource;
    if (presented !== undefined && presented !== known?.auth) this.report.foreignAuth('auth');
    const hasForeignUser =
      this.users.property !== undefined && this.hasForeignUser(context, request, this.users.property);
    if (isKnown) context.present(request);
    else if (known || presented !== undefined || hasForeignUser) {
      context.reset(request);
      context.apiKeyHeader = undefined;
    }
    return isKnown;
  }

  /** Whether another layer has set the property of the option `requestUser`. The property belongs to this package from now on. */
  private hasForeignUser(context: RequestContext, request: object, property: string): boolean {
    context.userProperty = property;
    const presented = context.presentedUser(request);
    if (presented === undefined || presented === context.authentication?.user) return false;
    this.report.foreignAuth(property);
    return true;
  }

  /** Checks that its sender may present the token, uses it if it may be used only once, and records the caller. */
  private conclude(
    context: RequestContext,
    presented: PresentedToken,
    verified: ValidatedToken,
    resource: ProtectedResource,
  ): Promise<void> | undefined {
    const use = (): Promise<void> | undefined => this.oneTimeTokens.use(verified, resource, context);
    const proved = this.possession.check(context, presented, verified, resource);
    const pending = proved ? proved.then(use) : use();
    const { token, request } = presented;
    if (!pending) {
      this.record(context, request, token, verified, resource);
      return undefined;
    }
    return pending.then(() => {
      this.record(context, request, token, verified, resource);
    });
  }

  private record(
    context: RequestContext,
    request: object,
    token: string,
    verified: ValidatedToken,
    resource: ProtectedResource,
  ): void {
    const auth = toAuthInfo(token, verified, resource);
    if (this.users.property === undefined) context.authenticate({ auth, resource }, request);
    else context.authenticate({ auth, resource, user: this.users.of(auth) }, request);
  }
}
