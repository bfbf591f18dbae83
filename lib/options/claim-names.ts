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
