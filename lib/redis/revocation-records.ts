import type { RevocationEntry } from '../options/revocation-index.js';
import { checkedRevocation } from '../options/revocation-rules.js';

/** A message to all replicas: a revocation, with the version of the list before and after it. @internal */
export interface RevocationMessage {
  readonly before: string;
  readonly after: string;
  readonly entry: RevocationEntry;
}

/** The version of an empty list. @internal */
export const NO_VERSION = '-';

/**
 * Stores a revocation and tells all replicas, in one step.
 *
 * KEYS: the sorted set of revocations by their end, and the version. ARGV: the end, the revocation, the end up to which old ones
 * are removed, the new version, the channel. GT: a second revocation never shortens the first.
 *
 * @internal
 */
export const REVOKE_SCRIPT = `
local before = redis.call('GET', KEYS[2]) or '${NO_VERSION}'
redis.call('ZADD', KEYS[1], 'GT', ARGV[1], ARGV[2])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[3])
redis.call('SET', KEYS[2], ARGV[4])
redis.call('PUBLISH', ARGV[5], before .. ' ' .. ARGV[4] .. ' ' .. ARGV[1] .. ' ' .. ARGV[2])
return before`;

/** Returns a revocation as a member of the sorted set: the same text for the same revocation. @internal */
export function memberOf({ revocation }: RevocationEntry): string {
  return JSON.stringify(checkedRevocation(revocation));
}

/** @throws an error if this is not what {@link memberOf} wrote @internal */
export function entryOf(member: unknown, end: unknown): RevocationEntry {
  const endsAt = Number(end);
  if (Number.isNaN(endsAt)) throw new Error('A revocation has no end');
  return { revocation: checkedRevocation(JSON.parse(String(member))), endsAt };
}

/** @throws an error if this is not what the script has published @internal */
export function messageOf(text: string): RevocationMessage {
  const [, before = '', after = '', end, member] = /^(\S+) (\S+) (\S+) (.+)$/s.exec(text) ?? [];
  return { before, after, entry: entryOf(member, end) };
}
