import { Injectable } from '@nestjs/common';
import { McpAuthConfigError } from '../errors/config.error.js';
import { AccessDeniedError, TokenRejectedError } from '../errors/rejection.errors.js';
import { describeFault } from '../events/escape-for-log.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { assertClientAllowed } from '../policy/allowed-clients.js';
import { AccessTokenAuthenticator } from './access-token.authenticator.js';
import {
  type ProtectedResource,
  ProtectedResourceRegistry,
} from '../resource/protected-resource.registry.js';
import { TenantResources } from '../resource/tenant-resources.js';
import type { AuthInfo } from './auth-info.decorator.js';
import { invalidTokenError, type InvalidTokenErrorClass } from './invalid-token.error.js';
import { OneTimeTokens } from './one-time-tokens.js';
import { ProofOfPossession } from './proof-of-possession.js';
import { RequestContext } from './request-context.js';
import { toAuthInfo } from './to-auth-info.js';

/** Options of {@link ResourceTokenVerifier} for its host. @publicApi */
export interface ResourceTokenVerifierOptions {
  /**
   * The class of the error for a rejected token, if the host checks it by `instanceof`: `InvalidTokenError` of
   * `@modelcontextprotocol/sdk`.
   *
   * @defaultValue an error that `@modelcontextprotocol/server` recognizes
   */
  readonly invalidTokenError?: InvalidTokenErrorClass;
}

/**
 * Verifies tokens for hosts other than {@link BearerAuthGuard}, such as the MCP SDK's `requireBearerAuth`. It uses the same
 * verifiers and checks, and returns the SDK's type.
 *
 * Does not check scopes, because the host does, and records nothing on a request. It sees no proof, so it rejects tokens that
 * are bound to a key.
 *
 * @publicApi
 */
@Injectable()
export class ResourceTokenVerifier {
  /** @internal */
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    private readonly tokens: AccessTokenAuthenticator,
    private readonly possession: ProofOfPossession,
    private readonly oneTimeTokens: OneTimeTokens,
    private readonly log: RateLimitedLogger,
    private readonly tenants: TenantResources,
  ) {}

  /**
   * Verifies a token and checks it for the resource, except its scopes. Needs exactly one resource.
   *
   * @throws an error that the host answers with 401, if the token is rejected; its `cause` is the {@link TokenRejectedError}, or an
   * {@link AccessDeniedError} if the resource does not allow its client
   * @throws {@link AuthorizationServerUnavailableError} if the token cannot be verified now
   * @throws {@link McpAuthConfigError} if there are several resources
   */
  async verifyAccessToken(token: string): Promise<AuthInfo> {
    return this.forResource().verifyAccessToken(token);
  }

  /**
   * Returns a verifier for one of several resources, or with errors that the host recognizes.
   *
   * @param name - a resource's `name` or its identifier; may be left out if there is only one. For a tenant: the identifier of its
   * resource. If there is no such tenant, verifying throws a {@link TenantRejectedError}
   * @param options - how rejections are thrown
   * @throws {@link McpAuthConfigError} if there is no such resource, or several and none is named
   */
  forResource(
    name?: string,
    options: ResourceTokenVerifierOptions = {},
  ): Pick<ResourceTokenVerifier, 'verifyAccessToken'> {
    const ofTenant = name === undefined ? undefined : this.tenants.finderOf(name);
    const { invalidTokenError: errorClass } = options;
    if (ofTenant)
      return { verifyAccessToken: async (token) => this.verify(token, await ofTenant(), errorClass) };
    const resource = this.find(name);
    return { verifyAccessToken: (token) => this.verify(token, resource, errorClass) };
  }

  private async verify(
    token: string,
    resource: ProtectedResource,
    errorClass: InvalidTokenErrorClass | undefined,
  ): Promise<AuthInfo> {
    try {
      const verified = await this.tokens.authenticate(token, resource);
      this.possession.assertBearer(verified, resource);
      assertClientAllowed(verified, resource.options.allowedClients);
      await this.oneTimeTokens.use(verified, resource, RequestContext.current());
      return toAuthInfo(token, verified, resource);
    } catch (error) {
      // Hosts know no error for a client that is not allowed, and would answer 500.
      if (error instanceof TokenRejectedError || error instanceof AccessDeniedError)
        throw invalidTokenError(error, errorClass);
      // Hosts answer this with 500 and may not log it.
      const kind = `a token for ${resource.options.resource} could not be checked`;
      this.log.write('error', kind, kind, describeFault(error, [token]));
      throw error;
    }
  }

  private find(name: string | undefined): ProtectedResource {
    const all = this.resources.all();
    const named = all.filter(
      ({ options }) => name === undefined || [options.name, options.resource].includes(name),
    );
    const [found, ...others] = named;
    if (found && others.length === 0 && found.options.tenants === undefined) return found;
    const names = all.map(({ options }) => `"${options.name ?? options.resource}"`).join(', ');
    const message = `needs the name of a resource: forResource() with one of ${names}`;
    throw new McpAuthConfigError([{ path: 'ResourceTokenVerifier', message }]);
  }
}
