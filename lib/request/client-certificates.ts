import { Inject, Injectable } from '@nestjs/common';
import { TokenRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedMutualTlsOptions,
} from '../options/resolved-options.interface.js';
import { type Peer, peerOf } from '../platform/tls-peer.js';
import { thumbprintIn, thumbprintOf } from '../policy/certificate-thumbprint.js';
import { headerValues, type OriginRequest } from '../policy/header-values.js';
import { withRejectedClaims } from '../policy/rejected-claims.js';
import { TrustedProxies } from '../policy/trusted-proxies.js';
import type { ValidatedToken } from '../policy/validate-claims.js';

/**
 * Checks that the sender of a token has the TLS certificate that the token is bound to, with each request.
 *
 * @internal
 */
@Injectable()
export class ClientCertificates {
  private readonly proxies = new Map<ResolvedMutualTlsOptions, TrustedProxies>();

  constructor(@Inject(MCP_AUTH_OPTIONS) { resources }: Pick<ResolvedMcpAuthOptions, 'resources'>) {
    for (const { mutualTls } of resources) {
      const { certificateHeader } = mutualTls ?? {};
      if (mutualTls && certificateHeader)
        this.proxies.set(mutualTls, new TrustedProxies(certificateHeader.trustedProxies));
    }
  }

  /**
   * Checks a token that is bound to a certificate. Looks at no certificate for another token.
   *
   * @throws {@link TokenRejectedError} `certificate_missing`, `certificate_malformed` or `certificate_mismatch`
   * @see {@link https://www.rfc-editor.org/rfc/rfc8705#section-3 | RFC 8705 section 3}
   */
  assertBound(
    request: OriginRequest,
    { confirmation, claims }: Pick<ValidatedToken, 'confirmation' | 'claims'>,
    mutualTls: ResolvedMutualTlsOptions,
  ): void {
    const expected = confirmation?.x5tS256;
    if (expected === undefined) return;
    const reason = this.problem(request, expected, mutualTls);
    if (reason !== undefined) throw withRejectedClaims(new TokenRejectedError(reason), claims);
  }

  private problem(
    request: OriginRequest,
    expected: string,
    mutualTls: ResolvedMutualTlsOptions,
  ): 'certificate_missing' | 'certificate_malformed' | 'certificate_mismatch' | undefined {
    const peer = peerOf(request);
    const { certificateHeader } = mutualTls;
    if (certificateHeader && this.proxies.get(mutualTls)?.includes(peer.remoteAddress)) {
      // The certificate of this connection is that of the proxy.
      const [line, ...others] = headerValues(request, certificateHeader.name.toLowerCase());
      if (line === undefined || (line === '' && others.length === 0)) return 'certificate_missing';
      const sent = others.length === 0 ? thumbprintIn(line, certificateHeader.format) : undefined;
      return sent === undefined ? 'certificate_malformed' : mismatch(sent, expected);
    }
    const { certificate }: Peer = peer;
    return certificate ? mismatch(thumbprintOf(certificate), expected) : 'certificate_missing';
  }
}

function mismatch(sent: string, expected: string): 'certificate_mismatch' | undefined {
  return sent === expected ? undefined : 'certificate_mismatch';
}
