import type { ConfigProblem } from '../errors/config.error.js';
import type { CheckedOptions, CheckedResource } from './option-problems.js';

/** Returns the conflicts between API keys and other options. @internal */
export function apiKeyProblems({ resources }: CheckedOptions): ConfigProblem[] {
  const privateIssuers = new Set(resources.flatMap((each) => each.privateIssuers ?? []));
  return resources.flatMap((resource, index) => {
    const { apiKeys } = resource;
    if (!apiKeys) return [];
    const path = `resources[${String(index)}].apiKeys`;
    const isTaken = privateIssuers.has(apiKeys.issuer);
    return [
      ...(isTaken ? [{ path: `${path}.issuer`, message: TAKEN }] : []),
      ...(needsBinding(resource) ? [{ path, message: UNBOUND }] : []),
      ...(isOfCertificate(resource) ? [{ path: `${path}.header`, message: SHARED }] : []),
    ];
  });
}

const TAKEN = 'is also in "privateIssuers", whose subjects are others; give the keys an issuer of their own';

const UNBOUND =
  'accepts keys, which are bound to nothing, where "dpop" or "mutualTls" require bound tokens; leave it out, or let them allow ' +
  'tokens that are not bound';

const SHARED = 'is also the header of "mutualTls.certificateHeader"; give the keys another header';

/** The short forms of both options have become objects. */
function needsBinding({ dpop, mutualTls }: CheckedResource): boolean {
  const isOfKey = typeof dpop === 'object' && dpop.mode === 'required';
  const isOfCertificate = typeof mutualTls === 'object' && mutualTls.required === true;
  return isOfKey || isOfCertificate;
}

function isOfCertificate({ apiKeys, mutualTls }: CheckedResource): boolean {
  const name = typeof mutualTls === 'object' ? mutualTls.certificateHeader?.name : undefined;
  return name?.toLowerCase() === apiKeys?.header?.toLowerCase();
}
