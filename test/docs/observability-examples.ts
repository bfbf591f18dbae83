import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpException,
  Inject,
  Injectable,
  Module,
  type OnModuleInit,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { subscribe } from 'node:diagnostics_channel';
import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import {
  AuthInfo,
  type AuthenticationTrace,
  BearerAuthGuard,
  McpAuthEvents,
  McpAuthModule,
  type McpAuthModuleOptions,
  principalKey,
} from 'nestjs-mcp-auth';

const RESOURCE = process.env['MCP_RESOURCE'] ?? '';
const ISSUER = process.env['MCP_ISSUER'] ?? '';

//#region metrics
@Controller('metrics')
export class AuthMetrics implements OnModuleInit {
  private readonly counts = new Map<string, number>();

  constructor(private readonly events: McpAuthEvents) {}

  onModuleInit(): void {
    this.events.on('access_denied', ({ resource, reason }) => {
      this.count({ resource, outcome: reason });
    });
    this.events.on('access_granted', ({ resource }) => {
      this.count({ resource, outcome: 'granted' });
    });
  }

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4')
  read(): string {
    return [...this.counts].map(([labels, value]) => `mcp_auth_total{${labels}} ${value}\n`).join('');
  }

  private count(labels: Record<string, string>): void {
    const text = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
    this.counts.set(text.join(), (this.counts.get(text.join()) ?? 0) + 1);
  }
}
//#endregion metrics

/** Stands for a file, or the stream of pino. */
export const auditLines: string[] = [];
const auditStream = { write: (line: string) => auditLines.push(line) };

//#region audit
/** One line of JSON for each decision and each end of a request. */
@Injectable()
export class AuditLog implements OnModuleInit {
  constructor(
    private readonly events: McpAuthEvents,
    @Inject('AUDIT_STREAM') private readonly stream: Writable,
  ) {}

  onModuleInit(): void {
    for (const type of ['access_granted', 'access_denied', 'request_completed'] as const)
      this.events.on(type, (event) => {
        this.stream.write(`${JSON.stringify({ time: new Date().toISOString(), ...event })}\n`);
      });
  }
}
//#endregion audit

//#region channels
/** Milliseconds that each token took to validate, and why it was rejected. */
export const validations: { milliseconds: number; reason: string | undefined }[] = [];

const begins = new WeakMap<object, number>();

/** A subscriber needs no module, and sees all applications of the process. */
export function observeTokens(): void {
  const name = 'tracing:nestjs-mcp-auth:authentication';
  subscribe(`${name}:start`, (trace) => begins.set(trace as object, performance.now()));
  subscribe(`${name}:asyncEnd`, (message) => {
    const trace = message as AuthenticationTrace;
    const milliseconds = performance.now() - (begins.get(trace) ?? NaN);
    validations.push({ milliseconds, reason: trace.error?.reason });
  });
}
//#endregion channels

//#region limit
/** At most 20 requests in a minute for each caller. */
@Injectable()
export class CallerLimitGuard implements CanActivate {
  private minute = 0;
  private counts = new Map<string, number>();

  canActivate(context: ExecutionContext): boolean {
    const { auth } = context.switchToHttp().getRequest<{ auth?: AuthInfo }>();
    if (!auth) return true; // an anonymous caller: limit these by address
    const minute = Math.floor(Date.now() / 60_000);
    if (minute !== this.minute) this.counts = new Map();
    this.minute = minute;
    const count = (this.counts.get(principalKey(auth)) ?? 0) + 1;
    this.counts.set(principalKey(auth), count);
    if (count > 20) throw new HttpException('Too many requests', 429);
    return true;
  }
}

@Controller('notes')
@UseGuards(BearerAuthGuard, CallerLimitGuard) // first who calls, then how often
export class NotesController {
  @Get()
  list(@AuthInfo('subject') subject: string) {
    return `notes of ${subject}`;
  }
}
//#endregion limit

//#region guesses
/** Bad tokens by address. Forget them after a while, and share them among processes. */
const guesses = new Map<string | undefined, number>();

export const options: McpAuthModuleOptions = {
  resources: { resource: RESOURCE, authorizationServers: [ISSUER] },
  onUnauthorized: ({ remoteAddress, reason }) => {
    if (reason === 'missing_token') return; // every sign-in begins with it
    guesses.set(remoteAddress, (guesses.get(remoteAddress) ?? 0) + 1);
  },
};

/** For `app.use()` on Express: runs before the guard. */
export function rejectGuesses({ ip }: { ip?: string }, response: ServerResponse, next: () => void): void {
  if ((guesses.get(ip) ?? 0) < 10) next();
  else response.writeHead(429).end();
}
//#endregion guesses

@Module({
  imports: [McpAuthModule.forRoot(options)],
  controllers: [NotesController, AuthMetrics],
  providers: [AuditLog, { provide: 'AUDIT_STREAM', useFactory: () => auditStream }],
})
export class AppModule {}

//#region pino
export const redact = ['req.headers.authorization', 'req.headers.dpop', 'req.headers["x-api-key"]'];

export function createLogged(stream?: NodeJS.WritableStream): Promise<NestFastifyApplication> {
  const serializers = {
    req: ({ method, headers }: { method: string; headers: object }) => ({ method, headers }),
  };
  return NestFactory.create(
    AppModule,
    new FastifyAdapter({ logger: { redact, serializers, ...(stream && { stream }) } }),
  );
}
//#endregion pino
