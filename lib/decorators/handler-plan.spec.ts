import { Get, Post, Res, Sse } from '@nestjs/common';
import { describe, expect, it } from 'vitest';
import { AllowAnonymous } from './allow-anonymous.decorator.js';
import { NoFurtherScopes } from './no-further-scopes.decorator.js';
import { ProtectedResource } from './protected-resource.decorator.js';
import { RequireScopes } from './require-scopes.decorator.js';
import { SkipBearerAuth } from './skip-bearer-auth.decorator.js';
import { BearerAuthGuard } from '../guard/bearer-auth.guard.js';
import type { Class } from '../platform/nest-metadata.js';
import { type HandlerPlan, HandlerPlans } from '../mcp/handler-plan.js';

type Method = () => unknown;

function planOf(controller: Class, name: string, plans = new HandlerPlans()): HandlerPlan {
  return plans.of(controller, (controller.prototype as Record<string, Method>)[name]!);
}

/** Wraps a method, as decorators of tracing libraries do, and keeps its metadata. */
const Traced: MethodDecorator = (_target, _key, descriptor: PropertyDescriptor) => {
  const original = descriptor.value as Method;
  const wrapped = function traced(this: unknown): unknown {
    return original.call(this);
  };
  for (const key of Reflect.getMetadataKeys(original) as string[])
    Reflect.defineMetadata(key, Reflect.getMetadata(key, original), wrapped);
  descriptor.value = wrapped;
};

@RequireScopes('base:class')
@ProtectedResource('base')
@SkipBearerAuth()
class Base {
  @Get()
  @RequireScopes('base:read')
  @ProtectedResource('reading')
  @NoFurtherScopes()
  @AllowAnonymous()
  read(): string {
    return 'base';
  }

  @Post()
  write(): string {
    return 'base';
  }
}

@RequireScopes('leaf:class')
class Leaf extends Base {
  @RequireScopes('leaf:read')
  override read(): string {
    return 'leaf';
  }
}

@ProtectedResource('other')
@NoFurtherScopes()
class Other extends Leaf {
  @Get()
  override read(): string {
    return 'other';
  }
}

describe('HandlerPlans', () => {
  it('adds up scopes along classes and overridden methods', () => {
    expect(planOf(Leaf, 'read').requirements).toEqual(['base:class', 'leaf:class', 'base:read', 'leaf:read']);
    expect(planOf(Leaf, 'write').requirements).toEqual(['base:class', 'leaf:class']);
  });

  it('gives the resource of the nearest method, else that of the nearest class', () => {
    expect(planOf(Base, 'read').resourceName).toBe('reading');
    expect(planOf(Leaf, 'read').resourceName).toBe('reading');
    expect(planOf(Other, 'read').resourceName).toBe('reading');
    expect(planOf(Leaf, 'write').resourceName).toBe('base');
    expect(planOf(Other, 'write').resourceName).toBe('other');
  });

  it('inherits no decorator that opens a handler or says that it needs no scopes', () => {
    expect(planOf(Base, 'read')).toMatchObject({
      isSkipped: true,
      allowsAnonymous: true,
      noFurtherScopes: 'method',
    });
    expect(planOf(Leaf, 'read')).toMatchObject({ isSkipped: false, allowsAnonymous: false });
    expect(planOf(Leaf, 'read').noFurtherScopes).toBeUndefined();
    expect(planOf(Other, 'write').noFurtherScopes).toBe('class');
  });

  it('reads a handler once for each class that has it', () => {
    const plans = new HandlerPlans();
    expect(planOf(Leaf, 'write', plans)).toBe(planOf(Leaf, 'write', plans));
    expect(planOf(Leaf, 'write', plans)).not.toBe(planOf(Base, 'write', plans));
    expect(planOf(Base, 'write', plans).where).toBe('Base.write');
    expect(planOf(Leaf, 'write', plans).where).toBe('Leaf.write');
    expect(planOf(Leaf, 'write', plans).guards).toContain(BearerAuthGuard);
  });

  it('knows which handlers may write the response, by the name in the class', () => {
    class Streams {
      @Get()
      plain(): string {
        return 'plain';
      }

      @Get()
      raw(@Res() response: unknown): unknown {
        return response;
      }

      @Traced
      @Get()
      traced(@Res() response: unknown): unknown {
        return response;
      }

      @Sse()
      events(): unknown {
        return undefined;
      }
    }
    const writing = ['plain', 'raw', 'traced', 'events'].filter((name) => planOf(Streams, name).mayStream);
    expect(writing).toEqual(['raw', 'traced', 'events']);
    class Below extends Streams {}
    expect(planOf(Below, 'traced')).toMatchObject({ mayStream: true, where: 'Below.traced' });
    const unknown = new HandlerPlans().of(Below, function elsewhere() {});
    expect(unknown).toMatchObject({ mayStream: true, where: 'Below.elsewhere' });
  });
});
