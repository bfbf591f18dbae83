import { Inject, Injectable } from '@nestjs/common';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { type ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { SharedDeadline } from '../platform/deadline.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { assertTokenForm } from '../token/extract-bearer-token.js';
import { type TokenClaims, type VerifiedToken } from '../options/token.verifier.js';
import { type Verifies, VerifierRegistry } from '../verifier/verifier.registry.js';
import { admit, type AdmittedToken } from './admit.js';
import { askVerifier } from './ask-verifier.js';
import { withRefusedClaims } from './refused-claims.js';
import { RevocationCheck } from './revocation.check.js';
import { assertTimely, type GateClock } from './time-claims.js';
import { VerifiedTokenCache } from './verified-token.cache.js';

/**
 * The one way from a token to a caller: whatever the verifier, the same decisions follow.
 *
 * @internal
 */
@Injectable()
export class AccessTokenGate {
  private readonly deadline: SharedDeadline;

  constructor(
    private readonly verifiers: VerifierRegistry,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
    private readonly cache: VerifiedTokenCache,
    private readonly revocation: RevocationCheck,
  ) {
    this.deadline = new SharedDeadline(options.verifierTimeoutMs);
  }

  /**
   * Decides on a token: at once on one that is remembered, as far as nobody else has to be asked.
   *
   * @throws {@link TokenRefusedError} for a token that is not good for this resource
   * @throws {@link AuthorizationServerUnavailableError} when that cannot be told now
   */
  admit(token: string, resource: KnownResource): AdmittedToken | Promise<AdmittedToken> {
    const verifier = this.verifiers.of(resource.options);
    const clock = this.clock();
    const known = this.cache.find(token, resource, verifier, clock.nowSeconds);
    if (!known) return this.verify(token, resource, verifier);
    const { admitted } = known;
    decide(admitted.claims, () => assertTimely(admitted.claims, clock, known));
    return this.revocation.assertNotRevoked(admitted);
  }

  private verify(
    token: string,
    resource: KnownResource,
    verifier: Verifies,
  ): AdmittedToken | Promise<AdmittedToken> {
    // Not for a remembered token: it had that form, as it is the same to the letter.
    assertTokenForm(token, this.options.maxTokenLength);
    const { generation } = this.cache;
    return askVerifier(verifier, token, resource, this.deadline, (verified) =>
      this.conclude(verified, token, resource, verifier, generation),
    );
  }

  /** @param generation - of the cache, before the token was verified */
  private conclude(
    verified: VerifiedToken,
    token: string,
    resource: KnownResource,
    verifier: Verifies,
    generation: number,
  ): AdmittedToken | Promise<AdmittedToken> {
    const clock = this.clock();
    const admitted = decide(verified.claims, () => admit(verified, resource, clock));
    if (verified.cacheable) {
      const { requiresExpiry, maxAgeSeconds } = verified;
      const entry = { admitted, requiresExpiry, maxAgeSeconds, keptAt: clock.nowSeconds };
      this.cache.keep(token, resource, verifier, entry, generation);
    }
    return this.revocation.assertNotRevoked(admitted);
  }

  private clock(): GateClock {
    const { now, clockToleranceSeconds } = this.options;
    return { nowSeconds: now().getTime() / 1000, toleranceSeconds: clockToleranceSeconds };
  }
}

/** Takes a decision on claims, and has a refusal say which they were. */
function decide<T>(claims: TokenClaims, decision: () => T): T {
  try {
    return decision();
  } catch (error) {
    throw withRefusedClaims(error as Error, claims);
  }
}
