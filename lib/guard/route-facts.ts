import { type ExecutionContext } from '@nestjs/common';
import { type Reflector } from '@nestjs/core';
import { ALLOW_ANONYMOUS, PROTECTED_RESOURCE, SKIP_BEARER_AUTH } from '../mcp-auth.constants.js';
import { scopeRequirements, type ServedOperation, servedOperation } from '../mcp/handler-scan.js';
import { HANDLER_METHODS, NO_ARGUMENTS } from '../mcp/operations.js';
import { type ScopedCall, type ScopeRequirement } from '../mcp/scope-requirement.js';
import { isMarked, mayWriteResponse } from '../platform/nest-metadata.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';

/** What the decorators on a route say, which is the same for every request. @internal */
export interface RouteFacts {
  readonly isSkipped: boolean;
  readonly allowsAnonymous: boolean;
  /** What `@ProtectedResource()` names. */
  readonly resourceName: string | undefined;
  /** `Class.method`, for messages. */
  readonly where: string;
  readonly requirements: readonly ScopeRequirement[];
  /** What functions in `@RequireScopes()` are told of a call, except what the call itself says. */
  readonly call: ScopedCall;
  /** Whether the handler may write the response itself, as an event stream. */
  readonly mayStream: boolean;
  /** The resource, once it has been found. */
  resource?: KnownResource;
}

/**
 * Reads what decorators say of a route when it is first called. By handler and class: classes that extend one
 * another share handlers.
 *
 * @internal
 */
export class RouteFactsReader {
  private readonly known = new WeakMap<object, WeakMap<object, RouteFacts>>();

  of(context: ExecutionContext, reflector: Reflector): RouteFacts {
    const handler = context.getHandler();
    const controller = context.getClass();
    let byClass = this.known.get(handler);
    if (!byClass) this.known.set(handler, (byClass = new WeakMap()));
    let facts = byClass.get(controller);
    if (!facts) {
      const where = `${controller.name}.${handler.name}`;
      facts = {
        isSkipped: isMarked(SKIP_BEARER_AUTH, controller, handler),
        allowsAnonymous: isMarked(ALLOW_ANONYMOUS, controller, handler),
        resourceName: reflector.getAllAndOverride<string | undefined>(PROTECTED_RESOURCE, [
          handler,
          controller,
        ]),
        where,
        requirements: scopeRequirements(controller, handler),
        call: callOf(where, servedOperation(handler)),
        mayStream: mayWriteResponse(controller, handler),
      };
      byClass.set(controller, facts);
    }
    return facts;
  }
}

function callOf(where: string, served: ServedOperation | undefined): ScopedCall {
  if (!served) return { kind: 'route', name: where, method: '', arguments: NO_ARGUMENTS };
  return { ...served, method: HANDLER_METHODS[served.kind], arguments: NO_ARGUMENTS };
}
