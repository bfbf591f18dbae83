import { Injectable } from '@nestjs/common';
import type { Revocation } from '../options/revocation-list.js';
import { checkedRevocation } from '../options/revocation-rules.js';
import { StreamExpiry } from './stream-expiry.js';

/**
 * Ends open streams of this process whose token is revoked. Inject it, and connect it to a list of revocations:
 * `list.onRevoked((revocation) => streams.end(revocation))`.
 *
 * It knows the streams of every token that expires. With the option `isRevoked`, it also knows those of tokens that do not
 * expire, and all of them with `endStreamsAtExpiry: false`.
 *
 * @publicApi
 */
@Injectable()
export class McpAuthStreams {
  /** @internal */
  constructor(private readonly streams: StreamExpiry) {}

  /**
   * Ends the streams of a token or a principal, as at the expiry of the token: a call that still waits for its answer gets a
   * JSON-RPC error first. A response that becomes a stream within the next ten minutes is ended too, within a second, if its
   * request was authenticated before. Answers that are no streams are sent to their end.
   *
   * Rejects no request: that is what `isRevoked` does. Call it once `isRevoked` knows of the revocation, otherwise the client
   * may open its stream again.
   *
   * @returns the number of open responses that are ended, with those that have not begun
   * @throws TypeError for a revocation that names neither a token nor a principal
   */
  end(revocation: Revocation): number {
    return this.streams.endRevoked(checkedRevocation(revocation));
  }
}
