import type { SessionBindingOptions } from '../options/mcp-auth-options.js';

/** A caller that holds sessions. @internal */
export interface Owner {
  /** Of the caller: another client of the same person is another one. */
  readonly key: string;
  /** Of the person, or what else has a share of all sessions, however many clients it has. */
  readonly sharer: string;
}

/** Who holds a session, and when it was used last. */
interface Session {
  owner: Owner;
  /** In seconds. */
  usedAt: number;
}

/** What part of all sessions one person may hold before its own make room for new ones. */
const SHARE = 1 / 10;

/**
 * Which caller holds which session: as many as the options say, the longest unused of which are forgotten first. A person
 * with more than a tenth of them, by all clients together, makes room among its own, so that none pushes out all others'.
 *
 * A forgotten session is one that nobody holds.
 *
 * @internal
 */
export class SessionOwners {
  /** In the order of their last use. */
  private readonly sessions = new Map<string, Session>();
  /** The sessions of each sharer, in the same order. */
  private readonly held = new Map<string, Set<string>>();

  /** @param seconds - a clock that only goes on */
  constructor(
    private readonly limits: Required<SessionBindingOptions>,
    private readonly seconds: () => number,
  ) {}

  get size(): number {
    return this.sessions.size;
  }

  /** Notes who holds a session. It stays with its first owner. */
  bind(id: string, owner: Owner): void {
    const now = this.seconds();
    if (this.find(id, now)) return;
    this.makeRoom(owner.sharer, now);
    this.sessions.set(id, { owner, usedAt: now });
    this.share(id, owner.sharer);
  }

  /** Tells whether this caller holds a session, and if so notes that it is in use. */
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

  /** Gives a session that one owner has to another. It cannot be given back, as the first has it no more. */
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
    const own = this.held.get(sharer);
    if (own) own.add(id);
    else this.held.set(sharer, new Set([id]));
  }

  private unshare(id: string, sharer: string): void {
    const own = this.held.get(sharer);
    own?.delete(id);
    if (own?.size === 0) this.held.delete(sharer);
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
    const { maxSessions } = this.limits;
    if (this.sessions.size < maxSessions) return;
    const own = this.held.get(sharer);
    const [oldest] = own && own.size > maxSessions * SHARE ? own : this.sessions.keys();
    if (oldest !== undefined) this.forget(oldest);
  }
}
