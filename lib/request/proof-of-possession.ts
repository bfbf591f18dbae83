import { hash } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { ProofRejectedError, TokenRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedDpopOptions, ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { lacksBinding } from '../policy/confirmation.js';
import { DpopNonces } from '../policy/dpop-nonces.js';
import { type DpopProof, verifyDpopProof } from '../policy/dpop-proof.js';
import { ProofKeys } from '../policy/proof-keys.js';
import { proofUrl } from '../policy/proof-url.js';
import { withRejectedClaims } from '../policy/rejected-claims.js';
import type { ValidatedToken } from '../policy/validate-claims.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { type CredentialRequest, proofsIn } from '../token/credential-sources.js';
import type { TokenScheme } from '../token/extract-token.js';
import { ClientCertificates } from './client-certificates.js';
import { REPLICA_MARGIN_SECONDS, ReplayProtection } from './replay-protection.js';
import type { RequestContext } from './request-context.js';

/** The part of a bound token that its proof is compared with. */
interface BoundToken {
  /** The thumbprint of the client's key. */
  readonly jkt: string;
  readonly validated: ValidatedToken;
}

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
  private readonly keys = new ProofKeys();

  constructor(
    @Inject(MCP_AUTH_OPTIONS)
    private readonly options: Pick<ResolvedMcpAuthOptions, 'now' | 'clockToleranceSeconds' | 'resources'>,
    private readonly replays: ReplayProtection,
    private readonly certificates: ClientCertificates,
  ) {
    for (const { dpop, resource } of options.resources) {
      if (!dpop?.nonce) continue;
      const [current, before] = dpop.nonce.secrets;
      const secrets = before === undefined ? ([current] as const) : ([current, before] as const);
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
    if (lacksBinding(confirmation, options))
      throw withRejectedClaims(new TokenRejectedError('not_bound'), claims);
  }

  /**
   * Checks the certificate and the proof of a token, if it needs them. Returns no promise for a bearer token.
   *
   * @throws {@link TokenRejectedError} `sender_constrained`, `not_bound` or a reason of the certificate
   * @throws {@link ProofRejectedError}; {@link AuthorizationServerUnavailableError} if the store of used proofs cannot tell. The
   * promise rejects with these
   */
  check(
    context: RequestContext,
    presented: PresentedToken,
    validated: ValidatedToken,
    resource: ProtectedResource,
  ): Promise<void> | undefined {
    const { dpop, mutualTls } = resource.options;
    const { confirmation, claims } = validated;
    const rejected = (reason: 'not_bound' | 'sender_constrained'): Error =>
      withRejectedClaims(new TokenRejectedError(reason), claims);
    if (lacksBinding(confirmation, resource.options)) throw rejected('not_bound');
    if (mutualTls) this.certificates.assertBound(presented.request, validated, mutualTls);
    const jkt = confirmation?.jkt;
    if (presented.scheme === 'bearer' || !dpop) {
      if (jkt !== undefined) throw rejected('sender_constrained');
      return undefined;
    }
    // The scheme DPoP is only for tokens that are bound to a key.
    if (jkt === undefined) throw rejected('not_bound');
    return this.prove(context, presented, { jkt, validated }, resource.options.resource, dpop).catch(
      (error: unknown) => {
        throw withRejectedClaims(error as Error, claims);
      },
    );
  }

  private async prove(
    context: RequestContext,
    { token, request }: PresentedToken,
    bound: BoundToken,
    resource: string,
    dpop: ResolvedDpopOptions,
  ): Promise<void> {
    const nonces = this.nonces.get(dpop);
    const nowSeconds = this.options.now().getTime() / 1000;
    const [line, ...others] = proofsIn(request);
    try {
      if (line === undefined) throw new ProofRejectedError('proof_missing');
      if (others.length > 0) throw new ProofRejectedError('proof_malformed');
      const expected = {
        jkt: bound.jkt,
        token,
        method: request.method ?? '',
        url: proofUrl(resource, request.originalUrl ?? request.url ?? ''),
        algorithms: dpop.algorithms,
        maxAgeSeconds: dpop.proofMaxAgeSeconds,
        nowSeconds,
      };
      const proof = await verifyDpopProof(line.trim(), expected, this.keys);
      this.assertNonce(proof, nonces, nowSeconds);
      await this.use(context, proof, bound, dpop);
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

  /** Uses a proof, once for a request: that may be checked for several resources. */
  private async use(
    context: RequestContext,
    { jti, iat }: DpopProof,
    { jkt, validated }: BoundToken,
    { replayStore, proofMaxAgeSeconds }: ResolvedDpopOptions,
  ): Promise<void> {
    const key = `dpop.${hash('sha256', JSON.stringify([jkt, jti]), 'base64url')}`;
    if (context.used?.has(key)) return;
    const endsAtSeconds = iat + proofMaxAgeSeconds + REPLICA_MARGIN_SECONDS;
    const leftMs = endsAtSeconds * 1000 - this.options.now().getTime();
    try {
      await this.replays.reserve(replayStore, key, leftMs, validated);
    } catch (error) {
      throw error instanceof TokenRejectedError ? new ProofRejectedError('proof_replayed') : error;
    }
    (context.used ??= new Set()).add(key);
  }
}
