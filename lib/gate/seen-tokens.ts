/** A power of two. */
const PLACES = 16_384;

/**
 * Knows whether a token was there before, as far as it is not too long ago, in a fixed 128 KiB.
 *
 * A hash has its place among {@link PLACES}, which remembers the last two of those that share it. So a token may be
 * forgotten, and one in billions taken for another: good enough to choose what to remember, and for nothing else.
 *
 * @internal
 */
export class SeenTokens {
  /** Of each place the newer mark and the older, four bytes each. */
  private readonly marks = new DataView(new ArrayBuffer(8 * PLACES));

  /**
   * Notes a token.
   *
   * @param hash - of the token, a character for each byte, of which there are six at least
   * @returns whether it was noted before
   */
  note(hash: string): boolean {
    const byte = (at: number): number => hash.charCodeAt(at);
    const place = 8 * ((byte(0) | (byte(1) << 8)) % PLACES);
    const mark = (byte(2) | (byte(3) << 8) | (byte(4) << 16) | (byte(5) << 24)) >>> 0;
    const newer = this.marks.getUint32(place);
    if (mark === newer || mark === this.marks.getUint32(place + 4)) return true;
    this.marks.setUint32(place + 4, newer);
    this.marks.setUint32(place, mark);
    return false;
  }
}
