import { type SessionBindingOptions } from '../options/mcp-auth-options.interface.js';

/** Who holds a session, and when it was used last. */
interface Session {
  readonly holder: string;
  /** In seconds. */
  usedAt: number;
}

/** What part of all sessions one caller may hold before its own make room for new ones. */
const SHARE = 1 / 10;

/**
 * Which caller holds which session: as many as the options say, the longest unused of which are forgotten first. A caller
 * with more than a tenth of them makes room among its own, so that none pushes out all others'.
 *
 * A forgotten session is one that nobody holds.
 *
 * @internal
 */
export class SessionHolders {
  /** In the order of their last use. */
  private readonly sessions = new Map<string, Session>();
  /** The sessions of each holder, in the same order. */
  private readonly held = new Map<string, Set<string>>();

  /** @param seconds - a clock that only goes on */
  constructor(
    private readonly limits: Required<SessionBindingOptions>,
    private readonly seconds: () => number,
  ) {}

  get size(): number {
    return this.sessions.size;
  }

  /** Notes who holds a session. It stays with its first holder. */
  bind(id: string, holder: string): void {
    const now = this.seconds();
    if (this.find(id, now)) return;
    this.makeRoom(holder, now);
    this.sessions.set(id, { holder, usedAt: now });
    const own = this.held.get(holder);
    if (own) own.add(id);
    else this.held.set(holder, new Set([id]));
  }

  /** Tells whether this caller holds a session, and if so notes that it is in use. */
  use(id: string, holder: string): boolean {
    const now = this.seconds();
    const session = this.find(id, now);
    if (session?.holder !== holder) return false;
    session.usedAt = now;
    this.sessions.delete(id);
    this.sessions.set(id, session);
    const own = this.held.get(holder);
    own?.delete(id);
    own?.add(id);
    return true;
  }

  forget(id: string): void {
    const holder = this.sessions.get(id)?.holder;
    if (holder === undefined) return;
    this.sessions.delete(id);
    const own = this.held.get(holder);
    own?.delete(id);
    if (own?.size === 0) this.held.delete(holder);
  }

  private find(id: string, now: number): Session | undefined {
    const session = this.sessions.get(id);
    if (!session || now - session.usedAt < this.limits.maxIdleSeconds) return session;
    this.forget(id);
    return undefined;
  }

  private makeRoom(holder: string, now: number): void {
    for (const [id, { usedAt }] of this.sessions) {
      if (now - usedAt < this.limits.maxIdleSeconds) break;
      this.forget(id);
    }
    const { maxSessions } = this.limits;
    if (this.sessions.size < maxSessions) return;
    const own = this.held.get(holder);
    const [oldest] = own && own.size > maxSessions * SHARE ? own : this.sessions.keys();
    if (oldest !== undefined) this.forget(oldest);
  }
}
