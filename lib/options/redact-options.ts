import { CheckOptional } from './check.decorator.js';
import { isFunction } from './value-rules.js';

/**
 * What events have in place of personal data. A function returns text, or undefined to leave the value out. It is synchronous and
 * is called only if an event is emitted. If it throws or returns something else, the value is left out and the log says so.
 *
 * @publicApi
 */
export class RedactOptions {
  /**
   * Replaces `subject` and `actor`, such as by a keyed hash.
   *
   * @defaultValue none: events have the subject
   */
  @CheckOptional(isFunction) readonly subject?: (subject: string) => string | undefined;

  /**
   * Replaces `remoteAddress`, such as by its network.
   *
   * @defaultValue none: events have the address
   */
  @CheckOptional(isFunction) readonly remoteAddress?: (address: string) => string | undefined;
}
