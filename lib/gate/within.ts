/** Whether somebody else's function answers later. @internal */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    value instanceof Promise || typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
  );
}

/** The result of a promise, or the error that `end` gives when the time is over. @internal */
export function within(ms: number, pending: PromiseLike<unknown>, end: () => Error): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(end());
    }, ms);
    Promise.resolve(pending).then(
      (answer) => {
        clearTimeout(timer);
        resolve(answer);
      },
      (error: unknown) => {
        clearTimeout(timer);
        // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- applications throw what they like
        reject(error);
      },
    );
  });
}
