/** How each platform writes "anything below here"; one does not take the other's spelling. */
const ANYTHING_BELOW: Readonly<Record<string, string>> = { express: '*path', fastify: '*' };

/**
 * The paths of a controller that answers at its own path and at everything below.
 *
 * @param platform - what the HTTP adapter calls itself
 * @internal
 */
export function wholeTree(platform: string): readonly string[] {
  return ['', ANYTHING_BELOW[platform] ?? '*'];
}
