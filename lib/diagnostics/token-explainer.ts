import { Inject, Injectable } from '@nestjs/common';
import { FetchNeeded } from '../authorization-server/fetch-needed.js';
import { IssuerKeysRegistry } from '../authorization-server/issuer-keys.registry.js';
import { InsufficientScopeError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { SharedDeadline } from '../platform/deadline.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import { tokenScopes } from '../policy/token-scopes.js';
import { validateClaims } from '../policy/validate-claims.js';
import { RevocationCheck } from '../request/revocation.check.js';
import { declaredResource, type ProtectedResource } from '../resource/protected-resource.registry.js';
import { withServerOf } from '../resource/server-of.js';
import { assertTokenForm } from '../token/extract-token.js';
import { IntrospectionTokenVerifier } from '../token/introspection-token.verifier.js';
import { IssuerTokenVerifier } from '../token/issuer-token.verifier.js';
import { verifyJwt } from '../token/jwt-token.verifier.js';
import { runVerifier } from '../token/run-verifier.js';
import { VerifierRegistry } from '../token/verifier.registry.js';
import { claimChecks, type ClaimsInQuestion, issuerCheck, timesOf } from './claim-checks.js';
import { failed, failureOf, list, notReached, passed, unknown } from './token-checks.js';
import type { ExplainOptions, TokenCheck, TokenExplanation } from './token-explanation.interface.js';
import { applicationChecks, ownChecks, type Verification } from './verification-checks.js';

/** Claims, and whether a verifier has verified them. */
interface Conclusion {
  readonly isVerified: boolean;
  readonly claims: ClaimsInQuestion;
}

/**
 * Explains what a request with a token would be answered with: by the same verifier and the same checks, but only with keys
 * and introspection responses that are known already. It caches, logs and counts nothing, and emits no event.
 *
 * @internal
 */
@Injectable()
export class TokenExplainer {
  private readonly deadline: SharedDeadline;
  /** The package's verifier, without requests. */
  private readonly offline: IssuerTokenVerifier;

  constructor(
    private readonly verifiers: VerifierRegistry,
    private readonly revocation: RevocationCheck,
    private readonly scopePolicy: ScopePolicy,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
    keys: IssuerKeysRegistry,
    introspection: IntrospectionTokenVerifier,
  ) {
    this.deadline = new SharedDeadline(options.verifierTimeoutMs);
    this.offline = new IssuerTokenVerifier(
      {
        verify: (token, claims, server) =>
          verifyJwt(token, claims, server, { verify: (check) => keys.of(server).verifyOffline(check) }),
      },
      {
        verify: (token, server) => {
          const verified = introspection.verifyKnown(token, server);
          if (verified !== undefined) return verified;
          throw new FetchNeeded(`no response of ${server.issuer} about the token is cached`);
        },
      },
    );
  }

  async explain(
    token: string,
    resource: ProtectedResource,
    { callApplication = false }: ExplainOptions = {},
  ): Promise<TokenExplanation> {
    const isOwn = this.verifiers.of(declaredResource(resource).options) instanceof IssuerTokenVerifier;
    const verification = await this.verify(token, seenBy(resource, callApplication), isOwn, callApplication);
    const question = { token, resource, maxTokenLength: this.options.maxTokenLength };
    const before = (isOwn ? ownChecks : applicationChecks)(question, verification);
    const claims = before.verified && { verified: before.verified, resource, clock: this.clock() };
    const conclusion = claims && { claims, isVerified: 'verified' in verification };
    const checks = [
      ...before.checks,
      ...(claims && !isOwn ? [issuerCheck(claims)] : []),
      ...claimChecks(claims),
      await this.revocationCheck(conclusion, callApplication),
      this.scopesCheck(claims),
    ];
    return {
      resource: resource.options.resource,
      ...decide(checks),
      checks,
      times: claims && timesOf(claims),
    };
  }

  private async verify(
    token: string,
    resource: ProtectedResource,
    isOwn: boolean,
    callApplication: boolean,
  ): Promise<Verification> {
    if (!isOwn && !callApplication) return { unknown: 'the verifier of the application is not called' };
    const verifier = isOwn ? this.offline : this.verifiers.of(declaredResource(resource).options);
    try {
      assertTokenForm(token, this.options.maxTokenLength);
      const verified = await runVerifier(verifier, token, resource, this.deadline, (result) =>
        withServerOf(resource, result.claims['iss'], () => result),
      );
      return { verified };
    } catch (error) {
      return error instanceof FetchNeeded ? { unknown: error.message } : { failure: error };
    }
  }

  /** `isRevoked` gets only tokens that are otherwise valid, as with a request. */
  private async revocationCheck(
    conclusion: Conclusion | undefined,
    callApplication: boolean,
  ): Promise<TokenCheck> {
    const expected = 'false from isRevoked';
    if (!conclusion) return notReached('revocation');
    if (!this.options.isRevoked) {
      return passed('revocation', { expected: 'nothing', found: 'isRevoked is not set' });
    }
    if (!conclusion.isVerified) return notReached('revocation');
    const { verified, resource, clock } = conclusion.claims;
    if (failureOf(() => validateClaims(verified, resource, clock)) !== undefined)
      return notReached('revocation');
    if (!callApplication) return unknown('revocation', expected, 'isRevoked is not called');
    try {
      await this.revocation.assertNotRevoked(validateClaims(verified, resource, clock));
    } catch (error) {
      return failed('revocation', error, { expected, found: 'another answer, or none' });
    }
    return passed('revocation', { expected, found: 'false' });
  }

  private scopesCheck(claims: ClaimsInQuestion | undefined): TokenCheck {
    if (!claims) return notReached('scopes');
    const { verified, resource } = claims;
    const expected = list(resource.options.requiredScopes);
    let scopes: readonly string[];
    try {
      scopes = tokenScopes(verified.claims, verified.claimNames.scopes);
    } catch (error) {
      return failed('scopes', error, { expected, found: 'claimNames.scopes failed' });
    }
    const texts = { expected, found: list(scopes) };
    if (this.scopePolicy.isSatisfied({ scopes }, resource, [])) return passed('scopes', texts);
    return failed('scopes', new InsufficientScopeError(resource.options.requiredScopes), texts);
  }

  private clock(): ClaimsInQuestion['clock'] {
    const { now, clockToleranceSeconds } = this.options;
    return { nowSeconds: now().getTime() / 1000, toleranceSeconds: clockToleranceSeconds };
  }
}

/** The decision is that of the first check that failed. An unknown one counts only if none failed. */
function decide(checks: readonly TokenCheck[]): Pick<TokenExplanation, 'decision' | 'reason'> {
  const failure = checks.find(({ outcome }) => outcome === 'failed');
  if (failure) return { decision: 'rejected', reason: failure.reason };
  const isKnown = checks.every(({ outcome }) => outcome === 'passed');
  return { decision: isKnown ? 'accepted' : 'unknown', reason: undefined };
}

/** Returns the resource with or without a resolver that may be called. */
function seenBy(resource: ProtectedResource, callApplication: boolean): ProtectedResource {
  const { resolvedServers } = resource;
  return callApplication ? resource : { ...resource, resolvedServers: resolvedServers?.offline() };
}
