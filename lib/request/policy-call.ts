import { MessageRejectedError } from '../errors/rejection.errors.js';
import type { PolicyCall } from '../options/authorization-policy.js';

/** How deep arguments may be nested that a policy gets. Far deeper ones exhaust the stack of what copies and compares them. */
const MAX_DEPTH = 200;

/**
 * Returns a frozen copy of a call, so that no policy changes what the handler gets, and no handler what was decided.
 *
 * @throws {@link MessageRejectedError} for arguments that are nested too deeply; an error for arguments that cannot be copied
 * @internal
 */
export function frozenCall({ kind, name, method, arguments: given, annotations }: PolicyCall): PolicyCall {
  if (isDeeperThan(MAX_DEPTH, given)) throw new MessageRejectedError('too_large');
  const args = structuredClone(given);
  freeze(args);
  return Object.freeze({ kind, name, method, arguments: args, annotations });
}

/** Level by level, because a recursion would end in what this prevents. */
function isDeeperThan(depth: number, value: unknown): boolean {
  const seen = new Set<object>();
  let level = membersOf([value], seen);
  for (let at = 0; level.length > 0; at++) {
    if (at > depth) return true;
    level = membersOf(
      level.flatMap((each) => Object.values(each) as unknown[]),
      seen,
    );
  }
  return false;
}

function membersOf(values: readonly unknown[], seen: Set<object>): readonly object[] {
  return values.filter((value): value is object => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return false;
    seen.add(value);
    return true;
  });
}

function freeze(value: unknown): void {
  // Bytes cannot be frozen.
  if (typeof value !== 'object' || value === null || Object.isFrozen(value) || ArrayBuffer.isView(value))
    return;
  Object.freeze(value);
  Object.values(value).forEach(freeze);
}
