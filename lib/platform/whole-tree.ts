/**
 * The paths of a controller that answers at its own path and at everything below, which Express does not spell as others
 * do.
 *
 * @param platform - what the HTTP adapter calls itself
 * @internal
 */
export function wholeTree(platform: string): readonly string[] {
  return ['', platform === 'express' ? '*path' : '*'];
}
