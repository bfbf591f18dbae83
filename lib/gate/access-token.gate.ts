import { Inject, Injectable } from '@nestjs/common';
import { TokenRefusedError } from '../errors/refusal.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { TokenVerifier, VerifiedToken } from '../verifier/token.verifier.js';
import { admit, type AdmittedToken } from './admit.js';

/**
 * The one way from a token to a caller: whatever the verifier, the same decisions follow.
 *
 * @internal
 */
@Injectable()
export class AccessTokenGate {
  constructor(
    private readonly verifier: TokenVerifier,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
  ) {}

  /**
   * @throws {@link TokenRefusedError} for a token that is not good for this resource
   * @throws {@link AuthorizationServerUnavailableError} when that cannot be told now
   */
  async admit(token: string, resource: KnownResource): Promise<AdmittedToken> {
    const verified = await this.verify(token, resource);
    return admit(verified, resource, {
      nowSeconds: this.options.now().getTime() / 1000,
      toleranceSeconds: this.options.clockToleranceSeconds,
    });
  }

  private async verify(token: string, resource: KnownResource): Promise<VerifiedToken> {
    const result = await this.verifier.verify(token, {
      resource: resource.options.resource,
      authorizationServers: resource.servers,
      signal: new AbortController().signal,
    });
    if (result === null || result === undefined) throw new TokenRefusedError('inactive');
    return result instanceof VerifiedToken ? result : new VerifiedToken(result);
  }
}
