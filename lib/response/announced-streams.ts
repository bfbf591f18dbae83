import type { AnnouncedValue } from './session-stream.js';
import { hasTargetValue, longestPart, type TargetedRequest, targetParts } from './target-values.js';

/** A value that open streams have announced. */
interface Announced extends AnnouncedValue {
  /** How many open streams of each caller have announced it. */
  readonly callers: Map<string, number>;
}

/**
 * Finds open streams of MCP 2024-11-05 by the values that they announced, anywhere in the target of a request and in any
 * encoding.
 *
 * A session belongs to the caller that announced it first. A value by another name may be the same for all sessions, such as
 * a long segment of the path, so it belongs to each caller with an open stream that announced it.
 *
 * @internal
 */
export class AnnouncedStreams {
  /** By the part by which a value is looked up, then by value. */
  private readonly byPart = new Map<string, Map<string, Announced>>();

  get isEmpty(): boolean {
    return this.byPart.size === 0;
  }

  /**
   * @param callers - the keys of the stream's callers, as {@link foreign} receives them
   * @returns a function to call when the stream is closed
   */
  open(values: readonly AnnouncedValue[], callers: readonly string[]): () => void {
    const opened = values.flatMap((value) => this.announce(value, callers) ?? []);
    return () => {
      for (const announced of opened) this.leave(announced, callers);
    };
  }

  /** Returns the values in the target of a request that belong only to streams of other callers. */
  foreign(target: TargetedRequest, caller: string): readonly string[] {
    return [...targetParts(target)].flatMap((part) =>
      [...(this.byPart.get(part)?.values() ?? [])]
        .filter(({ value, callers }) => !callers.has(caller) && hasTargetValue(target, value))
        .map(({ value }) => value),
    );
  }

  private announce({ name, value }: AnnouncedValue, callers: readonly string[]): Announced | undefined {
    const part = longestPart(value);
    if (part === '') return undefined;
    const values = this.byPart.get(part) ?? new Map<string, Announced>();
    const known = values.get(value);
    const announced = known ?? { name, value, callers: new Map<string, number>() };
    if (known && !mayShare(known, name, callers)) return undefined;
    for (const caller of callers) announced.callers.set(caller, (announced.callers.get(caller) ?? 0) + 1);
    this.byPart.set(part, values.set(value, announced));
    return announced;
  }

  private leave({ value, callers: left }: Announced, callers: readonly string[]): void {
    for (const caller of callers) {
      const others = (left.get(caller) ?? 0) - 1;
      if (others > 0) left.set(caller, others);
      else left.delete(caller);
    }
    if (left.size > 0) return;
    const part = longestPart(value);
    const values = this.byPart.get(part);
    values?.delete(value);
    if (values?.size === 0) this.byPart.delete(part);
  }
}

function mayShare(known: Announced, name: string, callers: readonly string[]): boolean {
  if (known.name !== name) return false;
  return !/session/i.test(name) || callers.every((caller) => known.callers.has(caller));
}
