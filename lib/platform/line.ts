/** Where one stands in a {@link Line}. @internal */
export class Place<T> {
  before: Place<T> | undefined = undefined;
  after: Place<T> | undefined = undefined;
  isTaken = true;

  constructor(readonly value: T) {}
}

/**
 * A line in which each stands behind those that came before, and which each may leave at any time, at the same small cost.
 *
 * A `Set` does the same, but not for what comes and goes with every request: its old tables stay reachable from one
 * another, with what was in them, until the whole heap is looked through. Whoever leaves this line is bound to nobody.
 *
 * @internal
 */
export class Line<T> {
  private head: Place<T> | undefined;
  private tail: Place<T> | undefined;

  /** The one that came first of those that are left. */
  get first(): Place<T> | undefined {
    return this.head;
  }

  enter(value: T): Place<T> {
    const place = new Place(value);
    place.before = this.tail;
    if (this.tail) this.tail.after = place;
    else this.head = place;
    this.tail = place;
    return place;
  }

  /** @returns false where it has been left before */
  leave(place: Place<T>): boolean {
    if (!place.isTaken) return false;
    const { before, after } = place;
    if (before) before.after = after;
    else this.head = after;
    if (after) after.before = before;
    else this.tail = before;
    place.isTaken = false;
    place.before = undefined;
    place.after = undefined;
    return true;
  }
}
