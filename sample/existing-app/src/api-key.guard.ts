import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { API_KEY } from './environment.js';

const NO_API_KEY = 'no-api-key';

/** The application's own way to except routes from its guard, as it was before. */
export const NoApiKey = (): ClassDecorator & MethodDecorator => SetMetadata(NO_API_KEY, true);

/** The application's own guard, as it was before: global, and it knows nothing of MCP. */
@Injectable()
export class ApiKeyGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  canActivate(context: ExecutionContext): boolean {
    const handlers = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride<boolean | undefined>(NO_API_KEY, handlers) === true) return true;
    const { headers } = context.switchToHttp().getRequest<{ headers: Record<string, unknown> }>();
    const sent = headers['x-api-key'];
    return typeof sent === 'string' && timingSafeEqual(hash(sent), hash(API_KEY));
  }
}

function hash(key: string): Buffer {
  return createHash('sha256').update(key).digest();
}
