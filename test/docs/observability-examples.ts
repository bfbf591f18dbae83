import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Header,
  HttpException,
  Injectable,
  Module,
  type OnModuleInit,
  UseGuards,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { ServerResponse } from 'node:http';
import {
  AuthInfo,
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
    this.events.on('access_granted', ({ resource }) => {
      this.count(resource, 'granted');
    });
    this.events.on('access_denied', ({ resource, reason }) => {
      this.count(resource, reason);
    });
  }

  @Get()
  @Header('content-type', 'text/plain; version=0.0.4')
  read(): string {
    const lines = [...this.counts].map(([labels, value]) => `mcp_auth_requests_total{${labels}} ${value}\n`);
    return lines.join('');
  }

  private count(resource: string, outcome: string): void {
    const labels = `resource="${resource}",outcome="${outcome}"`;
    this.counts.set(labels, (this.counts.get(labels) ?? 0) + 1);
  }
}
//#endregion metrics

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
