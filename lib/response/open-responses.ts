import type { ServerResponse } from 'node:http';
import { outsideRequests } from '../platform/outside-requests.js';
import { endResponse } from './intercept-response.js';

/** The open responses of each session. @internal */
export class OpenResponses {
  private readonly bySession = new Map<string, Set<ServerResponse>>();

  add(session: string, response: ServerResponse): void {
    if (response.closed) return;
    const open = this.bySession.get(session) ?? new Set();
    if (open.has(response)) return;
    this.bySession.set(session, open.add(response));
    response.once('close', () => {
      open.delete(response);
      if (open.size === 0 && this.bySession.get(session) === open) this.bySession.delete(session);
    });
  }

  /** Ends the responses of a session. Their listeners run outside the async context of the current request. */
  end(session: string): void {
    for (const response of this.bySession.get(session) ?? []) {
      if (!response.headersSent) response.statusCode = 404; // its session is none of its caller any more
      outsideRequests(() => {
        endResponse(response);
      });
    }
    this.bySession.delete(session);
  }
}
