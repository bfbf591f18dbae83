import { applyDecorators, UseGuards } from '@nestjs/common';
import { BearerAuthGuard } from '../guard/bearer-auth.guard.js';
import { guardsOn } from '../platform/nest-metadata.js';

/** Puts {@link BearerAuthGuard} on a class or a method, unless it is there. @internal */
export function coverWithGuard(target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void {
  const decorated = (descriptor?.value ?? target) as object;
  if (!guardsOn(decorated).includes(BearerAuthGuard)) putGuard(target, key, descriptor);
}

const putGuard: (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => void =
  applyDecorators(UseGuards(BearerAuthGuard));
