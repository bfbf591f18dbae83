/** A node of a {@link Line}. @internal */
export class Place<T> {
  before: Place<T> | undefined = undefined;
  after: Place<T> | undefined = undefined;
  isTaken = true;

  constructor(readonly value: T) {}
}

/**
 * A doubly linked list with insertion at the end and O(1) removal.
 *
 * A `Set` does not suit entries that come and go with every request: its old tables stay reachable from one another, with
 * their entries, until a full garbage collection. A removed node of this list refers to no other.
 *
 * @internal
 */
export class Line<T> {
  private head: Place<T> | undefined;
  private tail: Place<T> | undefined;

  /** The oldest node. */
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

  /** Removes a node. @returns false if it was removed before */
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
