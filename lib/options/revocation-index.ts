import type { RevocationQuery } from './mcp-auth-options.js';
import type { Revocation } from './revocation-list.js';

/** A revocation and when it ends, in milliseconds since the epoch. @internal */
export interface RevocationEntry {
  readonly revocation: Revocation;
  readonly endsAt: number;
}

/** Returns whether a revocation covers a token. @internal */
export function covers(
  revocation: Revocation,
  { issuer, jti, subject, clientId, issuedAt = -Infinity }: RevocationQuery,
): boolean {
  if (revocation.issuer !== issuer) return false;
  if ('jti' in revocation) return revocation.jti === jti;
  const { subject: person = subject, clientId: client = clientId, issuedBefore = Infinity } = revocation;
  return person === subject && client === clientId && issuedAt < issuedBefore;
}

/** How many names one addition looks at, to remove those whose revocations have ended. */
const SWEPT_AT_ONCE = 8;

/**
 * Finds the revocations that cover a token: by four look-ups, however many there are.
 *
 * @internal
 */
export class RevocationIndex {
  /** By what they name: those of one principal may differ in `issuedBefore`. */
  private readonly byName = new Map<string, readonly RevocationEntry[]>();
  private sweeping: IterableIterator<[string, readonly RevocationEntry[]]> | undefined;
  private count = 0;

  /** The number of revocations. Some of them may have ended. */
  get size(): number {
    return this.count;
  }

  *[Symbol.iterator](): Generator<RevocationEntry> {
    for (const entries of this.byName.values()) yield* entries;
  }

  /**
   * Adds a revocation, unless another one includes it.
   *
   * @param max - the greatest number of revocations
   * @returns whether it was added
   * @throws if there would be more
   */
  add(entry: RevocationEntry, now: number, max = Infinity): boolean {
    this.sweep(now);
    const name = nameOf(entry.revocation);
    const known = this.byName.get(name) ?? [];
    if (entry.endsAt <= now || known.some((each) => includes(each, entry))) return false;
    const left = known.filter((each) => !includes(entry, each) && !hasEnded(each, now));
    // Written so that a limit that is no number allows nothing.
    if (!(this.count - known.length + left.length < max))
      throw new Error(`The list is full: it has ${String(max)} revocations`);
    this.set(name, [...left, entry]);
    return true;
  }

  /** Returns whether a token is revoked. */
  covers(token: RevocationQuery, now: number): boolean {
    if (this.count === 0) return false;
    const { issuedAt = -Infinity } = token;
    return namesOf(token).some((name) =>
      this.byName.get(name)?.some((entry) => !hasEnded(entry, now) && issuedAt < timeOf(entry)),
    );
  }

  private sweep(now: number): void {
    for (let looked = 0; looked < SWEPT_AT_ONCE; looked++) {
      this.sweeping ??= this.byName.entries();
      const next = this.sweeping.next();
      if (next.done) {
        this.sweeping = undefined;
        return;
      }
      const [name, entries] = next.value;
      const left = entries.filter((entry) => !hasEnded(entry, now));
      if (left.length < entries.length) this.set(name, left);
    }
  }

  private set(name: string, entries: readonly RevocationEntry[]): void {
    this.count += entries.length - (this.byName.get(name)?.length ?? 0);
    if (entries.length === 0) this.byName.delete(name);
    else this.byName.set(name, entries);
  }
}

/** Returns the names of all revocations that may cover a token. */
function namesOf({ issuer, jti, subject, clientId }: RevocationQuery): string[] {
  const names = jti === undefined ? [] : [nameOf({ issuer, jti })];
  if (subject !== undefined) names.push(nameOf({ issuer, subject }));
  if (clientId === '') return names;
  names.push(nameOf({ issuer, clientId }));
  if (subject !== undefined) names.push(nameOf({ issuer, subject, clientId }));
  return names;
}

/** Returns what a revocation names, as a text that is different for anything else. */
function nameOf(revocation: Revocation): string {
  const { issuer } = revocation;
  if ('jti' in revocation) return JSON.stringify([issuer, revocation.jti]);
  return JSON.stringify([issuer, revocation.subject ?? null, revocation.clientId ?? null]);
}

/** Whether a revocation has ended. A clock that fails ends none. */
function hasEnded({ endsAt }: RevocationEntry, now: number): boolean {
  return endsAt <= now;
}

/** Returns the time before which revoked tokens were issued. */
function timeOf({ revocation }: RevocationEntry): number {
  return 'jti' in revocation ? Infinity : (revocation.issuedBefore ?? Infinity);
}

/** Whether the first of two revocations with the same name makes the second one needless. */
function includes(first: RevocationEntry, second: RevocationEntry): boolean {
  return first.endsAt >= second.endsAt && timeOf(first) >= timeOf(second);
}
