import type { SessionBindingOptions } from '../options/mcp-auth-options.js';

/** A caller that owns sessions. @internal */
export interface Owner {
  /** The key of the caller. Another client of the same person is another caller. */
  readonly key: string;
  /** The key of the person or other party that has one share of all sessions, with all its clients. */
  readonly sharer: string;
}

/** The owner of a session, and the time of its last use. */
interface Session {
  owner: Owner;
  /** In seconds. */
  usedAt: number;
}

/** The share of all sessions that one person may own before its sessions are evicted first. Fewer than ten own more. */
const SHARE = 1 / 10;

/**
 * Stores the owner of each session, up to the limit in the options. A new session beyond the limit evicts the least recently
 * used one of the first of these that applies, so that no person evicts many sessions of others:
 *
 * 1. the person who opens it, if that person owns more than a tenth of all sessions, with all clients;
 * 2. the person who owns most, if that is more than a tenth;
 * 3. all persons.
 *
 * All callers without a token count as one person. Each step takes constant time. An evicted session has no owner.
 *
 * @internal
 */
export class SessionOwners {
  /** In the order of their last use. */
  private readonly sessions = new Map<string, Session>();
  /** The sessions of each sharer, in the same order. */
  private readonly held = new Map<string, Set<string>>();
  /** The sharers that own more than their share, with the same sets: fewer than ten. */
  private readonly large = new Map<string, Set<string>>();

  /** @param seconds - a monotonic clock */
  constructor(
    readonly limits: Required<Omit<SessionBindingOptions, 'secrets'>>,
    private readonly seconds: () => number,
  ) {}

  get size(): number {
    return this.sessions.size;
  }

  /** Stores the owner of a session. The first owner keeps it. */
  bind(id: string, owner: Owner): void {
    const now = this.seconds();
    if (this.find(id, now)) return;
    this.makeRoom(owner.sharer, now);
    this.sessions.set(id, { owner, usedAt: now });
    this.share(id, owner.sharer);
  }

  /** Returns whether this caller owns a session, and if so, updates its last use. */
  use(id: string, { key, sharer }: Owner): boolean {
    const now = this.seconds();
    const session = this.find(id, now);
    if (session?.owner.key !== key) return false;
    session.usedAt = now;
    this.sessions.delete(id);
    this.sessions.set(id, session);
    const own = this.held.get(sharer);
    own?.delete(id);
    own?.add(id);
    return true;
  }

  /** Passes a session from one owner to another. Returns false if the first does not own it. */
  pass(id: string, from: Owner, to: Owner): boolean {
    const session = this.find(id, this.seconds());
    if (session?.owner.key !== from.key) return false;
    this.unshare(id, from.sharer);
    session.owner = to;
    this.share(id, to.sharer);
    return this.use(id, to);
  }

  forget(id: string): void {
    const session = this.sessions.get(id);
    if (!session) return;
    this.sessions.delete(id);
    this.unshare(id, session.owner.sharer);
  }

  private share(id: string, sharer: string): void {
    const own = this.held.get(sharer) ?? new Set();
    this.held.set(sharer, own.add(id));
    if (this.isLarge(own)) this.large.set(sharer, own);
  }

  private unshare(id: string, sharer: string): void {
    const own = this.held.get(sharer);
    if (!own) return;
    own.delete(id);
    if (own.size === 0) this.held.delete(sharer);
    if (!this.isLarge(own)) this.large.delete(sharer);
  }

  private isLarge({ size }: ReadonlySet<string>): boolean {
    return size > this.limits.maxSessions * SHARE;
  }

  private find(id: string, now: number): Session | undefined {
    const session = this.sessions.get(id);
    if (!session || now - session.usedAt < this.limits.maxIdleSeconds) return session;
    this.forget(id);
    return undefined;
  }

  private makeRoom(sharer: string, now: number): void {
    for (const [id, { usedAt }] of this.sessions) {
      if (now - usedAt < this.limits.maxIdleSeconds) break;
      this.forget(id);
    }
    if (this.sessions.size < this.limits.maxSessions) return;
    const [oldest] = this.large.get(sharer) ?? this.largest() ?? this.sessions.keys();
    if (oldest !== undefined) this.forget(oldest);
  }

  private largest(): ReadonlySet<string> | undefined {
    let largest: ReadonlySet<string> | undefined;
    for (const each of this.large.values()) if (!largest || each.size > largest.size) largest = each;
    return largest;
  }
}
