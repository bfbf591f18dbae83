/**
 * Goes on after a step that may have nothing to await. Then it goes on at once, because a promise for each request costs time.
 *
 * @returns a promise only if there is something to await
 * @internal
 */
export function after(
  pending: Promise<void> | undefined,
  next: () => Promise<void> | undefined,
): Promise<void> | undefined {
  return pending ? pending.then(next) : next();
}
