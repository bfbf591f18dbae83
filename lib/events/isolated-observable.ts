import { Observable, type Observer, Subscriber, type Subscription } from 'rxjs';

type ObserverOrNext<T> = Partial<Observer<T>> | ((value: T) => void) | null;

/**
 * An observable whose observers cannot harm the process: rxjs throws an observer's error anew where nobody can
 * catch it. Here, and in what `pipe()` makes of it, the error goes to `onThrown`.
 *
 * @internal
 */
export class IsolatedObservable<T> extends Observable<T> {
  constructor(
    private readonly onThrown: (error: unknown) => void,
    subscribe?: (subscriber: Subscriber<T>) => () => void,
  ) {
    super(subscribe);
  }

  /** What operators make of it is isolated too. */
  override lift<R>(operator?: Parameters<Observable<T>['lift']>[0]): Observable<R> {
    const lifted = new IsolatedObservable<R>(this.onThrown);
    return Object.assign(lifted, { source: this, operator });
  }

  override subscribe(
    observerOrNext?: ObserverOrNext<T>,
    error?: ((error: unknown) => void) | null,
    complete?: (() => void) | null,
  ): Subscription {
    if (observerOrNext instanceof Subscriber) return super.subscribe(observerOrNext);
    const observer: Partial<Observer<T>> =
      typeof observerOrNext === 'object' && observerOrNext !== null
        ? observerOrNext
        : {
            ...(observerOrNext && { next: observerOrNext }),
            ...(error && { error }),
            ...(complete && { complete }),
          };
    return super.subscribe({
      next: (value) => {
        isolate(() => observer.next?.(value), this.onThrown);
      },
      error: (failure: unknown) => {
        isolate(() => {
          (observer.error ?? this.onThrown).call(observer, failure);
        }, this.onThrown);
      },
      complete: () => {
        isolate(() => observer.complete?.(), this.onThrown);
      },
    });
  }
}

/** Calls a function; what it throws, now or as a promise, goes to `onThrown`. @internal */
export function isolate(call: () => unknown, onThrown: (error: unknown) => void): void {
  try {
    const result = call();
    if (result instanceof Promise) result.catch(onThrown);
  } catch (error) {
    onThrown(error);
  }
}
