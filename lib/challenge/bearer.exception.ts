import { HttpException } from '@nestjs/common';
import { limitStackTrace } from '../errors/stack-trace.js';

/**
 * A request that the guard refused. Nest answers it with its status and body; the headers are on the response
 * already, so an exception filter of the application may change the body and the challenge stays.
 *
 * `cause` is the decision, for filters and logs: one of the error classes of this package. `stack` has no frames.
 *
 * @publicApi
 */
export class BearerException extends HttpException {
  constructor(...parameters: ConstructorParameters<typeof HttpException>) {
    const limit = limitStackTrace(0);
    try {
      super(...parameters);
    } finally {
      limitStackTrace(limit);
    }
  }
}
