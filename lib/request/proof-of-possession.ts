import { createHash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ProofRejectedError, TokenRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedDpopOptions, ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { DpopNonces } from '../policy/dpop-nonces.js';
import { type DpopProof, verifyDpopProof } from '../policy/dpop-proof.js';
import { proofUrl } from '../policy/proof-url.js';
import { withRejectedClaims } from '../policy/rejected-claims.js';
import type { ValidatedToken } from '../policy/validate-claims.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { type CredentialRequest, proofsIn } from '../token/credential-sources.js';
import type { TokenScheme } from '../token/extract-token.js';
import { ClientCertificates } from './client-certificates.js';
import { ReplayProtection } from './replay-protection.js';
import type { RequestContext } from './request-context.js';

/** A token as it was presented. @internal */
export interface PresentedToken {
  readonly token: string;
  readonly scheme: TokenScheme;
  readonly request: CredentialRequest & { readonly method?: string | undefined };
}

/**
 * Checks that the sender of a bound token has the key that it is bound to, with each request.
 *
 * @internal
 */
@Injectable()
export class ProofOfPossession {
  private readonly nonces = new Map<ResolvedDpopOptions, DpopNonces>();

  constructor(
    @Inject(MCP_AUTH_OPTIONS)
    private readonly options: Pick<ResolvedMcpAuthOptions, 'now' | 'clockToleranceSeconds' | 'resources'>,
    private readonly replays: ReplayProtection,
    private readonly certificates: ClientCertificates,
  ) {
    for (const { dpop, resource } of options.resources) {
      if (!dpop?.nonce) continue;
      const secrets = dpop.nonce.secrets.filter((secret) => secret !== undefined);
      this.nonces.set(dpop, new DpopNonces(resource, secrets, dpop.proofMaxAgeSeconds));
    }
  }

  /**
   * Checks a token for a host that sees neither proof nor certificate.
   *
   * @throws {@link TokenRejectedError} `sender_constrained` for a bound token, `not_bound` if the resource requires bound ones
   */
  assertBearer({ confirmation, claims }: ValidatedToken, { options }: ProtectedResource): void {
    if (confirmation) throw withRejectedClaims(new TokenRejectedError('sender_constrained'), claims);
    if (options.dpop?.mode === 'required' || options.mutualTls?.required)
      throw withRejectedClaims(new TokenRejectedError('not_bound'), claims);
  }

  /**
   * Checks the certificate and the proof of a token, if it needs them. Returns no promise for a bearer token.
   *
   * @throws {@link TokenRejectedError} `sender_constrained`, `not_bound` or a reason of the certificate; {@link ProofRejectedError}; the promise rejects with the same, and with
   * {@link AuthorizationServerUnavailableError} if the store of used proofs cannot tell
   */
  check(
    context: RequestContext,
    presented: PresentedToken,
    validated: ValidatedToken,
    resource: ProtectedResource,
  ): Promise<void> | undefined {
    const { dpop, mutualTls } = resource.options;
    const { confirmation, claims } = validated;
    if (mutualTls) this.certificates.assertBound(presented.request, validated, mutualTls);
    if (presented.scheme === 'bearer' || !dpop) {
      if (confirmation?.jkt !== undefined)
        throw withRejectedClaims(new TokenRejectedError('sender_constrained'), claims);
      if (dpop?.mode === 'required') throw withRejectedClaims(new TokenRejectedError('not_bound'), claims);
      return undefined;
    }
    if (confirmation?.jkt === undefined)
      throw withRejectedClaims(new TokenRejectedError('not_bound'), claims);
    return this.prove(context, presented, confirmation.jkt, resource.options.resource, dpop).catch(
      (error: unknown) => {
        throw withRejectedClaims(error as Error, claims);
      },
    );
  }

  private async prove(
    context: RequestContext,
    { token, request }: PresentedToken,
    jkt: string,
    resource: string,
    dpop: ResolvedDpopOptions,
  ): Promise<void> {
    const nonces = this.nonces.get(dpop);
    const nowSeconds = this.options.now().getTime() / 1000;
    const [line, ...others] = proofsIn(request);
    try {
      if (line === undefined) throw new ProofRejectedError('proof_missing');
      if (others.length > 0) throw new ProofRejectedError('proof_malformed');
      const proof = await verifyDpopProof(line.trim(), {
        jkt,
        token,
        method: request.method ?? '',
        url: proofUrl(resource, request.originalUrl ?? request.url ?? ''),
        algorithms: dpop.algorithms,
        maxAgeSeconds: dpop.proofMaxAgeSeconds,
        nowSeconds,
      });
      this.assertNonce(proof, nonces, nowSeconds);
      await this.reserve(context, line, proof, jkt, dpop);
    } catch (error) {
      if (!(error instanceof ProofRejectedError) || !nonces) throw error;
      // With a nonce for the next proof, so that the client needs no second rejection to get one.
      throw new ProofRejectedError(error.reason, nonces.make(nowSeconds), { cause: error });
    }
  }

  private assertNonce({ nonce }: DpopProof, nonces: DpopNonces | undefined, nowSeconds: number): void {
    if (!nonces) return;
    const { clockToleranceSeconds } = this.options;
    if (typeof nonce !== 'string' || !nonces.isValid(nonce, nowSeconds, clockToleranceSeconds))
      throw new ProofRejectedError('proof_nonce');
  }

  /** Reserves a proof once for a request: the request may be checked for several resources. */
  private async reserve(
    context: RequestContext,
    line: string,
    { jti, iat }: DpopProof,
    jkt: string,
    { replayStore, proofMaxAgeSeconds }: ResolvedDpopOptions,
  ): Promise<void> {
    if (context.usedProof === line) return;
    const key = createHash('sha256')
      .update(JSON.stringify(['dpop', jkt, jti]))
      .digest('base64url');
    // Until it would be rejected for its time.
    const endsAtSeconds = iat + proofMaxAgeSeconds;
    const leftMs = Math.ceil(endsAtSeconds * 1000 - this.options.now().getTime()) + 1000;
    try {
      await this.replays.reserve(replayStore, key, Math.max(1, leftMs));
    } catch (error) {
      if (error instanceof TokenRejectedError) throw new ProofRejectedError('proof_replayed');
      throw error;
    }
    context.usedProof = line;
  }
}
