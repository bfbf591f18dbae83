import { randomUUID } from 'node:crypto';
import {
  type CanActivate,
  type ExecutionContext,
  Inject,
  Injectable,
  NotFoundException,
} from '@nestjs/common';
import type { Request, Response } from 'express';
import type { RedisClientType } from 'redis';
import { REDIS } from './shared.module.js';

const MAX_IDLE_SECONDS = 3600;

//#region sessions
/**
 * Sessions in Redis, for a transport that keeps none. It must stand behind BearerAuthGuard. That removes the seal from
 * the id, and replaces the id of another caller's session by an unknown one.
 */
@Injectable()
export class SharedSessions implements CanActivate {
  constructor(@Inject(REDIS) private readonly redis: RedisClientType) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const http = context.switchToHttp();
    const { headers, body } = http.getRequest<Request<object, unknown, Initialize | undefined>>();
    const id = headers['mcp-session-id'];
    if (id !== undefined) {
      if ((await this.clientOf(id)) !== null) return true;
      const error = { code: -32001, message: 'Session not found' };
      throw new NotFoundException({ jsonrpc: '2.0', id: null, error }); // the client opens a new session
    }
    if (body?.method === 'initialize') {
      const opened = randomUUID();
      const client = String(body.params?.clientInfo?.name).slice(0, 100); // clients choose it
      await this.redis.set(key(opened), client, { EX: MAX_IDLE_SECONDS });
      http.getResponse<Response>().setHeader('mcp-session-id', opened);
    }
    return true; // without a session: MCP 2026-07-28 has none
  }

  /** Returns what the session knows: here, how its client calls itself. Null for an unknown session. */
  clientOf(id: unknown): Promise<string | null> {
    return this.redis.getEx(key(id), { type: 'EX', value: MAX_IDLE_SECONDS });
  }
}
//#endregion sessions

interface Initialize {
  readonly method?: unknown;
  readonly params?: { readonly clientInfo?: { readonly name?: unknown } };
}

function key(id: unknown): string {
  return `session:${String(id)}`;
}
