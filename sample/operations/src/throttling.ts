import { Injectable } from '@nestjs/common';
import { ThrottlerGuard, type ThrottlerModuleOptions, type ThrottlerRequest } from '@nestjs/throttler';
import { type AuthInfo, principalKey } from 'nestjs-mcp-auth';
import { toolLabel } from './tool-label.js';

//#region limits
/** How many requests of an address, requests of a caller, and calls of a tool by a caller pass in a minute. */
export const LIMITS: ThrottlerModuleOptions = [
  { name: 'address', ttl: 60_000, limit: 200 },
  { name: 'caller', ttl: 60_000, limit: 60 },
  { name: 'tool', ttl: 60_000, limit: 30 },
];

/** Tools with a limit of their own. */
const TOOL_LIMITS: Readonly<Record<string, number>> = { purge_notes: 3 };

/** Applies some of the limits, each across all routes. */
abstract class SomeLimitsGuard extends ThrottlerGuard {
  protected abstract readonly names: readonly string[];

  override async onModuleInit(): Promise<void> {
    await super.onModuleInit();
    this.throttlers = this.throttlers.filter(({ name = '' }) => this.names.includes(name));
  }

  protected override generateKey(_context: unknown, tracker: string, name: string): string {
    return `${name} ${tracker}`;
  }

  /** Clients read "Retry-After", and the throttler writes "Retry-After-caller". */
  protected override setResponseHeader(response: object, name: string, value: string | number): void {
    super.setResponseHeader(response, name.replace(/^Retry-After-.*/, 'Retry-After'), value);
  }
}
//#endregion limits

//#region before
/** Before authentication, by address. It also limits guesses of tokens. Register it as `APP_GUARD`. */
@Injectable()
export class AddressThrottlerGuard extends SomeLimitsGuard {
  protected readonly names = ['address'];
}
//#endregion before

//#region after
/** After authentication, by caller and by tool: `@UseGuards(BearerAuthGuard, CallerThrottlerGuard)`. */
@Injectable()
export class CallerThrottlerGuard extends SomeLimitsGuard {
  protected readonly names = ['caller', 'tool'];

  protected override getTracker(request: { auth?: AuthInfo; ip?: string }): Promise<string> {
    // A request that passes without a token has no caller.
    return request.auth ? Promise.resolve(principalKey(request.auth)) : super.getTracker(request);
  }

  protected override async handleRequest(request: ThrottlerRequest): Promise<boolean> {
    if (request.throttler.name !== 'tool') return super.handleRequest(request);
    const { body } = request.context.switchToHttp().getRequest<{ body?: unknown }>();
    for (const tool of calledTools(body)) {
      const generateKey = (_context: unknown, tracker: string) => `tool ${tool} ${tracker}`;
      await super.handleRequest({ ...request, limit: TOOL_LIMITS[tool] ?? request.limit, generateKey });
    }
    return true;
  }
}

interface Message {
  readonly method?: unknown;
  readonly params?: { readonly name?: unknown };
}

/** The tools that a body calls. A batch may call several, and one of them several times. */
function calledTools(body: unknown): string[] {
  const messages = (Array.isArray(body) ? body : [body]) as (Message | null)[];
  return messages
    .filter((message) => message?.method === 'tools/call')
    .map((message) => toolLabel({ kind: 'tool', name: String(message?.params?.name) }));
}
//#endregion after
