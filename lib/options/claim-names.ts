import { type ClaimNames } from './authorization-server-options.interface.js';

/** {@link ClaimNames} with every name in a list. @publicApi */
export interface ResolvedClaimNames {
  readonly clientId: readonly string[];
  readonly scopes: readonly string[] | ((claims: Readonly<Record<string, unknown>>) => readonly string[]);
}

/** What clients and scopes are called where nothing else is said, the most usual name first. @internal */
export const USUAL_CLAIM_NAMES: ResolvedClaimNames = Object.freeze({
  clientId: Object.freeze(['client_id', 'azp', 'cid', 'appid']),
  scopes: Object.freeze(['scope', 'scp', 'scopes']),
});

/** @internal */
export function resolveClaimNames({ clientId, scopes }: ClaimNames = {}): ResolvedClaimNames {
  if (clientId === undefined && scopes === undefined) return USUAL_CLAIM_NAMES;
  return {
    clientId: clientId === undefined ? USUAL_CLAIM_NAMES.clientId : [clientId].flat(),
    scopes:
      scopes === undefined
        ? USUAL_CLAIM_NAMES.scopes
        : typeof scopes === 'function'
          ? scopes
          : [scopes].flat(),
  };
}
