import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';

/**
 * Warns of settings by which sessions are unknown to the process that gets them, or stay without a caller.
 *
 * @internal
 */
export function sessionWarnings({
  sessionBinding,
  replicas,
  resources,
}: Pick<ResolvedMcpAuthOptions, 'sessionBinding' | 'replicas' | 'resources'>): readonly string[] {
  if (!sessionBinding) return [];
  if (sessionBinding.secrets === undefined) return replicas === 'several' ? [UNSHARED] : [];
  const open = resources.filter(({ anonymousMethods }) => anonymousMethods.length > 0);
  return open.length === 0 ? [] : [`${open.map(({ resource }) => resource).join(', ')}: ${NEVER_PASSES}`];
}

const UNSHARED =
  'the option "replicas" is "several" and "sessionBinding" has no "secrets", so only the process that opened a session knows ' +
  'its owner, and answers at another one say that there is no such session; set "sessionBinding.secrets", the same at all ' +
  'replicas, or set "sessionBinding" to false if nothing uses sessions';

const NEVER_PASSES =
  '"anonymousMethods" lets clients open sessions without a token, and with "sessionBinding.secrets" such a session does not ' +
  'pass to its caller after sign-in, so the client must open another one; leave "secrets" out if one process has all sessions';
