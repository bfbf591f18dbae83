import { MAX_REPLAY_TTL_MS, type ReplayStore } from '../options/replay-store.js';

/**
 * Maximum number of reservations that have not ended: about 100 MB. Proofs of five minutes fill it at 1,600 requests a second.
 */
const MAX_RESERVATIONS = 500_000;

/** How many ended reservations one call removes: more than it adds, and so few that no request waits for it. */
const REMOVED_AT_ONCE = 8;

/** The reservations of one holder of tokens. */
interface Share {
  readonly holder: string;
  count: number;
}

interface Reservation {
  readonly key: string;
  /** Milliseconds since the epoch. */
  readonly endsAt: number;
  readonly share: Share;
}

/** The state of the replay store in memory. @publicApi */
export interface ReplayStoreReport {
  /** Reservations in memory. Some of them may have ended. */
  readonly reservations: number;
  /** The limit. */
  readonly maxReservations: number;
  /** Reservations that the store rejected, because it or the share of their holder was full. Their requests got 503. */
  readonly rejections: number;
}

/**
 * Keeps reservations in the memory of this process. Its clock is the one that tokens and proofs are compared with: if that is
 * set back, and a token is valid again, its reservation is still there.
 *
 * If it is full of reservations that have not ended, it throws: whatever it removed could be used again. It throws too for a
 * holder that has as many reservations as are free. So one holder gets half of the store, and two get a third each: there are
 * always some left for others.
 *
 * @internal
 */
export class MemoryReplayStore implements ReplayStore {
  private readonly byKey = new Map<string, Reservation>();
  /** A binary heap: the reservation that ends first is at the top. */
  private readonly heap: Reservation[] = [];
  private readonly shares = new Map<string, Share>();
  private rejections = 0;

  constructor(
    private readonly now: () => Date,
    private readonly maxReservations = MAX_RESERVATIONS,
  ) {}

  get state(): ReplayStoreReport {
    const { heap, maxReservations, rejections } = this;
    return { reservations: heap.length, maxReservations, rejections };
  }

  /** @param holder - the person whose share of the store the reservation is part of */
  // eslint-disable-next-line @typescript-eslint/require-await -- what it throws must reject the promise
  async reserve(key: string, ttlMs: number, holder = key): Promise<boolean> {
    const now = this.now().getTime();
    const endsAt = now + ttlMs;
    if (Number.isNaN(endsAt) || ttlMs < 1 || ttlMs > MAX_REPLAY_TTL_MS)
      throw new Error('The reservation has no valid end');
    this.removeEnded(now);
    const known = this.byKey.get(key);
    if (known && known.endsAt > now) return false;
    const share = this.shares.get(holder) ?? { holder, count: 0 };
    this.assertFree(share);
    share.count += 1;
    this.shares.set(holder, share);
    const reservation = { key, endsAt, share };
    this.byKey.set(key, reservation);
    this.push(reservation);
    return true;
  }

  private assertFree({ count }: Share): void {
    const { maxReservations, heap } = this;
    const free = maxReservations - heap.length;
    if (count < free) return;
    this.rejections += 1;
    throw new Error(
      free > 0
        ? `The replay store has ${String(count)} reservations of one holder, and ${String(free)} are left for others`
        : `The replay store is full: it has ${String(maxReservations)} reservations`,
    );
  }

  private removeEnded(now: number): void {
    for (let count = 0; count < REMOVED_AT_ONCE; count++) {
      const [first] = this.heap;
      if (!first || first.endsAt > now) return;
      this.pop();
      // The key may have been reserved again since then.
      if (this.byKey.get(first.key) === first) this.byKey.delete(first.key);
      first.share.count -= 1;
      if (first.share.count === 0) this.shares.delete(first.share.holder);
    }
  }

  private push(reservation: Reservation): void {
    const { heap } = this;
    let at = heap.push(reservation) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const parent = heap[above];
      if (!parent || parent.endsAt <= reservation.endsAt) break;
      heap[at] = parent;
      at = above;
    }
    heap[at] = reservation;
  }

  private pop(): void {
    const { heap } = this;
    const last = heap.pop();
    if (!last || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const least = this.earlier(2 * at + 1, 2 * at + 2);
      const child = heap[least];
      if (!child || child.endsAt >= last.endsAt) break;
      heap[at] = child;
      at = least;
    }
    heap[at] = last;
  }

  /** Returns the index of the reservation that ends earlier. */
  private earlier(left: number, right: number): number {
    const { [left]: first, [right]: second } = this.heap;
    return first && second && second.endsAt < first.endsAt ? right : left;
  }
}
