/** Calls a function; what it throws, now or as a promise, goes to `onThrown`. @internal */
export function isolate(call: () => unknown, onThrown: (error: unknown) => void): void {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(onThrown);
  } catch (error) {
    onThrown(error);
  }
}
