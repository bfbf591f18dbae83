/** What an error code or a reason stands for. The texts may change with any release; the keys do not. @publicApi */
export interface ErrorReferenceEntry {
  /** The HTTP statuses that a client may see; none where the application does not start. */
  readonly statuses: readonly number[];
  /** What happened, in plain text. */
  readonly meaning: string;
  /** What to do about it, in plain text. */
  readonly fix: string;
}

/** An entry with one status, several, or none. @internal */
export const entry = (
  status: number | readonly number[] | undefined,
  meaning: string,
  fix: string,
): ErrorReferenceEntry => ({
  statuses: status === undefined ? [] : [status].flat(),
  meaning,
  fix,
});
