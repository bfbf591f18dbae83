import { Injectable, type OnModuleInit } from '@nestjs/common';
import { LoggerModule, PinoLogger } from 'nestjs-pino';
import { McpAuthEvents } from 'nestjs-mcp-auth';

//#region pino
/** Headers with credentials. A session id is as good as one if sessions are not bound to their owners. */
const redact = [
  'req.headers.authorization',
  'req.headers.cookie',
  'req.headers.dpop',
  'req.headers["mcp-session-id"]',
  'req.headers["x-api-key"]',
  'res.headers["mcp-session-id"]',
  'res.headers["set-cookie"]',
];

interface LoggedRequest {
  readonly id: unknown;
  readonly method: string;
  readonly url: string;
  readonly headers: object;
  readonly remoteAddress: string;
}

/** Clients may put tokens into the query, so it is not logged. */
function withoutQuery({ id, method, url, headers, remoteAddress }: LoggedRequest): LoggedRequest {
  return { id, method, url: url.replace(/\?[^]*/, '?…'), headers, remoteAddress };
}

export const Logging = LoggerModule.forRoot({
  pinoHttp: { level: process.env['LOG_LEVEL'] ?? 'info', redact, serializers: { req: withoutQuery } },
  // The line about the answer too has what is assigned while the request is handled.
  assignResponse: true,
  // The access log need not have a line for each probe.
  exclude: ['/health/live', '/health/ready', '/metrics'],
});
//#endregion pino

//#region correlation
/**
 * Adds the `requestId` of the events to all later lines about the request.
 * With `earlyAuthentication` it cannot: decisions are made before pino knows the request.
 */
@Injectable()
export class LogCorrelation implements OnModuleInit {
  constructor(
    private readonly events: McpAuthEvents,
    private readonly logger: PinoLogger,
  ) {}

  onModuleInit(): void {
    for (const type of ['access_granted', 'access_denied'] as const) {
      this.events.on(type, ({ requestId }) => {
        this.logger.assign({ requestId });
      });
    }
  }
}
//#endregion correlation
