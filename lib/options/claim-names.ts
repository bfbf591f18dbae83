/** {@link ClaimNames} with every name in a list. @publicApi */
export interface ResolvedClaimNames {
  readonly clientId: readonly string[];
  readonly scopes: readonly string[] | ((claims: Readonly<Record<string, unknown>>) => readonly string[]);
}

/** The default claim names of clients and scopes, the most usual name first. @internal */
export const USUAL_CLAIM_NAMES: ResolvedClaimNames = Object.freeze({
  clientId: Object.freeze(['client_id', 'azp', 'cid', 'appid']),
  scopes: Object.freeze(['scope', 'scp', 'scopes']),
});
