import { Injectable } from '@nestjs/common';
import { DiscoveryService, MetadataScanner } from '@nestjs/core';
import { type McpOperationKind } from './operations.js';
import { type ScopeRequirement } from './scope-requirement.js';
import {
  ALLOW_ANONYMOUS,
  NO_FURTHER_SCOPES,
  PROTECTED_RESOURCE,
  REQUIRED_SCOPES,
  SKIP_BEARER_AUTH,
} from '../mcp-auth.constants.js';
import {
  both,
  type Class,
  inherited,
  isMarked,
  isRoute,
  nearest,
  PATTERN_EXTRAS,
  PATTERN_TRANSPORT,
  ROUTE_GUARDS,
} from '../platform/nest-metadata.js';

/** What a handler serves: a tool or prompt by its name, a resource by its URI or template. @internal */
export interface ServedOperation {
  readonly kind: McpOperationKind;
  readonly name: string;
}

/** How @rekog/mcp-nest names what a method serves. */
const KINDS: ReadonlyMap<unknown, McpOperationKind> = new Map([
  ['tool', 'tool'],
  ['prompt', 'prompt'],
  ['resource', 'resource'],
  ['resource-template', 'resource'],
]);

/** One handler of the application: a route, or one of an MCP server. @internal */
export interface ScannedHandler {
  /** `Class.method`, for messages. */
  readonly where: string;
  /** What it serves of an MCP server, or undefined for an HTTP route. */
  readonly operation: ServedOperation | undefined;
  /** The server of @rekog/mcp-nest that serves it; undefined for an HTTP route. */
  readonly server: unknown;
  /** What `@RequireScopes()` asks for on the class and on the method, inherited ones too, each once. */
  readonly requirements: readonly ScopeRequirement[];
  /** Where `@NoFurtherScopes()` stands. */
  readonly noFurtherScopes: 'method' | 'class' | undefined;
  /** What `@ProtectedResource()` names on the method, else on the class. */
  readonly resource: string | undefined;
  /** What `@UseGuards()` names on the class and on the method. */
  readonly guards: readonly unknown[];
  /** Whether `@SkipBearerAuth()` is on the method or the class itself. */
  readonly isSkipped: boolean;
  /** Whether `@AllowAnonymous()` is on the method or the class itself. */
  readonly allowsAnonymous: boolean;
}

/**
 * Finds the handlers of all controllers: HTTP routes, and the tools, prompts and resources of @rekog/mcp-nest, which
 * are controllers' methods too. Reads what decorators wrote; makes and calls nothing.
 *
 * @internal
 */
@Injectable()
export class HandlerScan {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  handlers(): readonly ScannedHandler[] {
    return this.discovery.getControllers().flatMap(({ metatype }) => {
      if (typeof metatype !== 'function') return [];
      const controller = metatype as Class;
      const prototype = controller.prototype as Record<string, unknown>;
      return this.scanner
        .getAllMethodNames(prototype)
        .flatMap((name) => scanMethod(controller, name, prototype[name]));
    });
  }
}

function scanMethod(controller: Class, name: string, method: unknown): ScannedHandler[] {
  if (typeof method !== 'function') return [];
  const operation = servedOperation(method);
  if (!operation && !isRoute(method)) return [];
  return [
    {
      where: `${controller.name}.${name}`,
      operation,
      server: Reflect.getMetadata(PATTERN_TRANSPORT, method) as unknown,
      requirements: scopeRequirements(controller, method),
      noFurtherScopes: noFurtherScopes(controller, method),
      resource: nearest(PROTECTED_RESOURCE, controller, method) as string | undefined,
      guards: both(ROUTE_GUARDS, controller, method),
      isSkipped: isMarked(SKIP_BEARER_AUTH, controller, method),
      allowsAnonymous: isMarked(ALLOW_ANONYMOUS, controller, method),
    },
  ];
}

function noFurtherScopes(controller: Class, method: object): ScannedHandler['noFurtherScopes'] {
  if (isMarked(NO_FURTHER_SCOPES, method, method)) return 'method';
  return isMarked(NO_FURTHER_SCOPES, controller, method) ? 'class' : undefined;
}

/** What @rekog/mcp-nest serves a method as. @internal */
export function servedOperation(method: object): ServedOperation | undefined {
  const { mcpType, mcpName } = (Reflect.getMetadata(PATTERN_EXTRAS, method) ?? {}) as Record<string, unknown>;
  const kind = KINDS.get(mcpType);
  return kind !== undefined && typeof mcpName === 'string' ? { kind, name: mcpName } : undefined;
}

/**
 * What `@RequireScopes()` asks for on a class and on one of its methods, on the classes that it extends and the methods that
 * this one overrides, each once: at boot and for requests.
 *
 * @internal
 */
export function scopeRequirements(controller: Class, method: object): readonly ScopeRequirement[] {
  return [...new Set(inherited(REQUIRED_SCOPES, controller, method) as readonly ScopeRequirement[])];
}
