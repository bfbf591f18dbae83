/** A power of two. */
const PLACES = 16_384;

/** How many characters a token is told by: of a JWT they are the end of its signature, as good as random. */
const LENGTH = 16;

/**
 * Knows whether a token was there before, as far as it is not too long ago, in a fixed 128 KiB and without a hash that
 * takes its time.
 *
 * A token has its place among {@link PLACES}, which remembers the last two of those that share it. So a token may be
 * forgotten, and one in a hundred thousand taken for another: good enough to choose what to remember, and for nothing
 * else.
 *
 * @internal
 */
export class SeenTokens {
  /** Of each place the newer mark and the older, four bytes each. */
  private readonly marks = new DataView(new ArrayBuffer(8 * PLACES));

  has(token: string): boolean {
    return this.isNoted(markOf(token));
  }

  /**
   * Notes a token.
   *
   * @returns whether it was noted before
   */
  note(token: string): boolean {
    const mark = markOf(token);
    if (this.isNoted(mark)) return true;
    const place = placeOf(mark);
    this.marks.setUint32(place + 4, this.marks.getUint32(place));
    this.marks.setUint32(place, mark);
    return false;
  }

  private isNoted(mark: number): boolean {
    const place = placeOf(mark);
    return mark === this.marks.getUint32(place) || mark === this.marks.getUint32(place + 4);
  }
}

function placeOf(mark: number): number {
  return 8 * ((mark >>> 1) % PLACES);
}

/** A number of 32 bits for the end of a token (FNV-1a). It is odd, as 0 is no mark. */
function markOf(token: string): number {
  let mark = 0x811c9dc5;
  for (let at = Math.max(0, token.length - LENGTH); at < token.length; at++) {
    mark = Math.imul(mark ^ token.charCodeAt(at), 0x01000193);
  }
  return (mark | 1) >>> 0;
}
