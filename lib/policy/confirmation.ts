import { TokenRejectedError } from '../errors/rejection.errors.js';
import type { ResolvedProtectedResourceOptions } from '../options/resolved-options.interface.js';
import type { TokenClaims } from '../options/token.verifier.js';

/** What the sender of a token must prove to have: at least one of them. @internal */
export interface Confirmation {
  /** The thumbprint of the key of DPoP. */
  readonly jkt: string | undefined;
  /** The thumbprint of the TLS certificate. */
  readonly x5tS256: string | undefined;
}

/** SHA-256 in base64url: the last character has two bits that are always zero. */
const SHA256_THUMBPRINT = /^[\w-]{42}[AEIMQUYcgkosw048]$/;

/**
 * Returns the confirmation of a token; undefined if it is bound to nothing.
 *
 * A token that is bound in a way that the resource does not verify is rejected: without a proof, anyone may present it. So is
 * one that is bound in both ways, unless the resource verifies both. Unknown members beside one that is verified are ignored.
 *
 * @throws {@link TokenRejectedError} `sender_constrained`
 * @see {@link https://www.rfc-editor.org/rfc/rfc7800#section-3.1 | RFC 7800 section 3.1}
 * @internal
 */
export function confirmationOf(
  { cnf }: TokenClaims,
  { dpop, mutualTls }: Pick<ResolvedProtectedResourceOptions, 'dpop' | 'mutualTls'>,
): Confirmation | undefined {
  if (cnf === undefined) return undefined;
  if (typeof cnf !== 'object' || cnf === null) throw new TokenRejectedError('sender_constrained');
  const { jkt, 'x5t#S256': x5tS256 } = cnf as Readonly<Record<string, unknown>>;
  if (jkt === undefined && x5tS256 === undefined) throw new TokenRejectedError('sender_constrained');
  return { jkt: thumbprint(jkt, dpop), x5tS256: thumbprint(x5tS256, mutualTls) };
}

/** Whether a resource requires what a token is not bound to. @internal */
export function lacksBinding(
  confirmation: Confirmation | undefined,
  { dpop, mutualTls }: Pick<ResolvedProtectedResourceOptions, 'dpop' | 'mutualTls'>,
): boolean {
  const lacksKey = dpop?.mode === 'required' && confirmation?.jkt === undefined;
  const lacksCertificate = mutualTls?.required === true && confirmation?.x5tS256 === undefined;
  return lacksKey || lacksCertificate;
}

/** @param option - undefined if the resource does not verify it */
function thumbprint(value: unknown, option: object | undefined): string | undefined {
  if (value === undefined) return undefined;
  if (!option || typeof value !== 'string' || !SHA256_THUMBPRINT.test(value))
    throw new TokenRejectedError('sender_constrained');
  return value;
}
