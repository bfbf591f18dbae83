/** Calls a function; errors, synchronous or asynchronous, go to `onThrown`. @internal */
export function isolate(call: () => unknown, onThrown: (error: unknown) => void): void {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(onThrown);
  } catch (error) {
    onThrown(error);
  }
}
