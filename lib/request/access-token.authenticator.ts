import { Inject, Injectable } from '@nestjs/common';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { traced, TRACES } from '../events/traces.js';
import { SharedDeadline } from '../platform/deadline.js';
import { declaredResource, type ProtectedResource } from '../resource/protected-resource.registry.js';
import { serverOf, withServerOf } from '../resource/server-of.js';
import { assertKeyForm } from '../token/api-key.js';
import { assertTokenForm } from '../token/extract-token.js';
import type { TokenClaims, VerifiedToken } from '../options/token.verifier.js';
import { type Verifies, VerifierRegistry } from '../token/verifier.registry.js';
import { issuerOf, validateClaims, type ValidatedToken } from '../policy/validate-claims.js';
import { runVerifier } from '../token/run-verifier.js';
import { withRejectedClaims } from '../policy/rejected-claims.js';
import { RequestContext } from './request-context.js';
import { RevocationCheck } from './revocation.check.js';
import { assertTimely, type ValidationClock } from '../policy/time-claims.js';
import { type CachedToken, VerifiedTokenCache } from './verified-token.cache.js';

/**
 * Authenticates a caller by a token: every verifier is followed by the same checks.
 *
 * @internal
 */
@Injectable()
export class AccessTokenAuthenticator {
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
   * Validates a token. Returns no promise for a cached token, unless `isRevoked` returns one or the channel
   * `nestjs-mcp-auth:authentication` has subscribers.
   *
   * @throws {@link TokenRejectedError} for a token that is not valid for this resource
   * @throws {@link AuthorizationServerUnavailableError} if the token cannot be verified now
   */
  authenticate(token: string, resource: ProtectedResource): ValidatedToken | Promise<ValidatedToken> {
    const trace = TRACES.authentication;
    if (!trace.hasSubscribers) return this.validate(token, resource);
    const context = {
      resource: resource.options.resource,
      requestId: RequestContext.current()?.audit.requestId,
    };
    return traced(trace, context, () => this.validate(token, resource), [token]);
  }

  private validate(token: string, resource: ProtectedResource): ValidatedToken | Promise<ValidatedToken> {
    const verifier = this.verifiers.of(declaredResource(resource).options);
    const clock = this.clock();
    const known = this.cache.find(token, resource, verifier, clock.nowSeconds);
    if (!known) return this.verify(token, resource, verifier);
    const { validated } = known;
    if (!resource.resolvedServers) return this.validateAgain(known, clock);
    // The issuer may not be trusted any more.
    return withServerOf(resource, validated.claims['iss'], () => {
      decide(validated.claims, () => issuerOf(validated.claims, resource));
      return this.validateAgain(known, clock);
    });
  }

  private validateAgain(
    known: CachedToken,
    clock: ValidationClock,
  ): ValidatedToken | Promise<ValidatedToken> {
    const { validated } = known;
    decide(validated.claims, () => assertTimely(validated.claims, clock, known));
    return this.revocation.assertNotRevoked(validated);
  }

  private verify(
    token: string,
    resource: ProtectedResource,
    verifier: Verifies,
  ): ValidatedToken | Promise<ValidatedToken> {
    // Not needed for a cached token: it is exactly the same text, so it had that form.
    const assertForm = resource.apiKeyIssuer === undefined ? assertTokenForm : assertKeyForm;
    assertForm(token, this.options.maxTokenLength);
    const { generation } = this.cache;
    return runVerifier(verifier, token, resource, this.deadline, (verified) =>
      withServerOf(resource, verified.claims['iss'], () =>
        this.conclude(verified, token, resource, verifier, generation),
      ),
    );
  }

  /** @param generation - of the cache, before the token was verified */
  private conclude(
    verified: VerifiedToken,
    token: string,
    resource: ProtectedResource,
    verifier: Verifies,
    generation: number,
  ): ValidatedToken | Promise<ValidatedToken> {
    const clock = this.clock();
    const validated = decide(verified.claims, () => validateClaims(verified, resource, clock));
    if (verified.cacheable && !isOneTime(validated, resource)) {
      const { requiresExpiry, maxAgeSeconds } = verified;
      const entry = { validated, requiresExpiry, maxAgeSeconds, keptAt: clock.nowSeconds };
      this.cache.keep(token, resource, verifier, entry, generation);
    }
    return this.revocation.assertNotRevoked(validated);
  }

  private clock(): ValidationClock {
    const { now, clockToleranceSeconds } = this.options;
    return { nowSeconds: now().getTime() / 1000, toleranceSeconds: clockToleranceSeconds };
  }
}

/** Whether a token may be used only once: it is not cached, because it does not come again. */
function isOneTime({ issuer }: ValidatedToken, resource: ProtectedResource): boolean {
  return serverOf(resource, issuer)?.options.oneTimeTokens !== undefined;
}

/** Runs a check of claims, and adds the claims to its rejection. */
function decide<T>(claims: TokenClaims, decision: () => T): T {
  try {
    return decision();
  } catch (error) {
    throw withRejectedClaims(error as Error, claims);
  }
}
