import type { ModulesContainer } from '@nestjs/core';
import { argumentKinds, chainOf, PLATFORM_ARGUMENT } from './nest-metadata.js';
import { connectedStrategies, patternExtras } from './nest-microservices.js';

/** A transport of @rekog/mcp-nest, or one of the application for it. `start` and `httpAdapter` are documented. */
interface McpTransport {
  start(context: { readonly httpAdapter?: object | undefined }): unknown;
}

/**
 * A strategy of @rekog/mcp-nest, which Nest connects as a microservice. Its members are undocumented. Checked with
 * @rekog/mcp-nest 2.0.0 to 2.0.5.
 *
 * @internal
 */
export interface McpStrategy {
  /** What the handlers of its server are marked with. */
  readonly transportId?: unknown;
  readonly options: { readonly transports: readonly Partial<McpTransport>[] };
}

type Method = (...args: unknown[]) => unknown;

/** A method as it was before it was replaced, so that a transport of several applications is wrapped once. */
const originals = new WeakMap<object, Map<string, Method>>();

/**
 * Replaces a method of one object. A method that was replaced before is replaced anew, from its original.
 *
 * @param make - makes the replacement from the original, which is bound to the object
 * @returns false if the object has no such method
 * @internal
 */
export function replaceMethod(target: object, name: string, make: (original: Method) => Method): boolean {
  const known = originals.get(target) ?? new Map<string, Method>();
  const original = known.get(name) ?? (Reflect.get(target, name) as unknown);
  if (typeof original !== 'function') return false;
  originals.set(target, known.set(name, original as Method));
  Reflect.set(target, name, make((original as Method).bind(target)));
  return true;
}

/**
 * Tells of each strategy of @rekog/mcp-nest that is connected to the application, before and after this call.
 *
 * @returns false if Nest tells of none, as it is older than 11.1.6
 * @internal
 */
export function onStrategy(modules: ModulesContainer, told: (strategy: McpStrategy) => void): boolean {
  const connected = connectedStrategies(modules);
  connected?.subscribe((target) => {
    const { options } = target as Partial<McpStrategy>;
    if (Array.isArray(options?.transports)) told(target as McpStrategy);
  });
  return connected !== undefined;
}

/**
 * Tells of each server of @rekog/mcp-nest that starts, by what its handlers are marked with.
 *
 * @internal
 */
export function onStarted(modules: ModulesContainer, told: (transportId: unknown) => void): void {
  onStrategy(modules, (strategy) => {
    replaceMethod(strategy, 'listen', (listen) => (...args) => {
      told(strategy.transportId);
      return listen(...args);
    });
  });
}

/** The methods of an HTTP adapter of Nest by which a route is put on the platform. */
const ROUTE_METHODS: ReadonlySet<unknown> = new Set(
  ['use', 'all', 'get', 'post', 'put', 'patch', 'delete', 'head', 'options', 'search', 'register'].flatMap(
    (name) => [name, name.toUpperCase()],
  ),
);

/**
 * Calls a function before each route that a transport mounts on the platform by itself when it starts. What is mounted
 * past the HTTP adapter that the transport is started with is not seen.
 *
 * @param look - throws to keep the route from being mounted
 * @internal
 */
export function beforeMounts(
  transport: Partial<McpTransport>,
  look: (path: unknown, adapter: object) => void,
): void {
  replaceMethod(transport, 'start', (start) => (given) => {
    const context = given as Parameters<McpTransport['start']>[0];
    const { httpAdapter } = context;
    if (!httpAdapter) return start(context);
    const adapter = new Proxy(httpAdapter, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          if (ROUTE_METHODS.has(name)) look(args[0], httpAdapter);
          return Reflect.apply(member, target, args) as unknown;
        };
      },
    });
    return start(Object.create(context, { httpAdapter: { value: adapter, enumerable: true } }));
  });
}

/**
 * The methods of its HTTP transport that serve a request, whatever route they are called from. Private. Checked with
 * @rekog/mcp-nest 2.0.0 to 2.0.5.
 */
const HTTP_METHODS = ['handlePost', 'handleGet', 'handleDelete'];

/**
 * Lets only some requests reach an HTTP transport. `httpHandlers`, which routes are given, call these methods.
 *
 * @param mayPass - decides on a request; answers it if it may not pass
 * @internal
 */
export function filterRequests(
  transport: object,
  mayPass: (request: object, response: object) => boolean,
): void {
  for (const name of HTTP_METHODS) {
    replaceMethod(transport, name, (handle) => (request, response) => {
      return mayPass(request as object, response as object) ? handle(request, response) : undefined;
    });
  }
}

/**
 * Looks at each operation before its handler runs, on any transport of a strategy: tools, prompts and resources, those
 * that are registered at run time too. The strategy makes a context for each, with the private method `buildContext`.
 * Checked with @rekog/mcp-nest 2.0.0 to 2.0.5.
 *
 * @param look - throws what the operation is rejected with
 * @returns false if the strategy makes no such contexts, so that nothing would be looked at
 * @internal
 */
export function beforeOperations(
  strategy: McpStrategy,
  look: (transport: unknown, rawRequest: unknown, message: unknown) => void,
): boolean {
  return replaceMethod(strategy, 'buildContext', (build) => (...args) => {
    const [, message, session, rawRequest] = args;
    look((session as { transport?: unknown } | undefined)?.transport, rawRequest, message);
    return build(...args);
  });
}

/**
 * How a class hands requests to a transport: by the handlers that the transport gives to routes. They are documented; the
 * code of the controllers that @rekog/mcp-nest makes is not. Checked with @rekog/mcp-nest 2.0.0 to 2.0.5.
 */
const HANDS_OVER = /\.handle(?:Post|Get|Delete)\(\s*[^(),]+,|\bhttpHandlers\b/;

/**
 * Whether a route hands its request to a transport of @rekog/mcp-nest: it takes the platform's request and response, and
 * its code, or that of its class, calls the transport's handlers. Code that does so elsewhere, such as in a function of
 * its own, is not seen.
 *
 * @param controller - the class
 * @param name - the method
 * @internal
 */
export function handsToTransport(controller: object & { readonly prototype: object }, name: string): boolean {
  const kinds = argumentKinds(controller, name);
  if (!kinds.includes(PLATFORM_ARGUMENT.request) || !kinds.includes(PLATFORM_ARGUMENT.response)) return false;
  const methods = chainOf(controller.prototype).map((prototype) => Reflect.get(prototype, name) as unknown);
  return [...chainOf(controller), ...methods].some(
    (code) => typeof code === 'function' && HANDS_OVER.test(Function.prototype.toString.call(code)),
  );
}

/**
 * What @rekog/mcp-nest serves a method as: its `mcpType` and `mcpName` among what it hands to `@MessagePattern()`.
 * Undocumented. Checked with @rekog/mcp-nest 2.0.0 to 2.0.5.
 *
 * @internal
 */
export function servedCapability(
  method: object,
): { readonly kind: 'tool' | 'prompt' | 'resource'; readonly name: string } | undefined {
  const { mcpType, mcpName } = patternExtras(method);
  const kind = KINDS.get(mcpType);
  return kind !== undefined && typeof mcpName === 'string' ? { kind, name: mcpName } : undefined;
}

/** The metadata key of `@Tool()`, with its options. Exported by it, and not documented. Checked with @rekog/mcp-nest 2.0.0 to 2.0.5. */
const TOOL_OPTIONS = 'mcp:tool';

/** The annotations of a tool of @rekog/mcp-nest; undefined if it has none. @internal */
export function toolAnnotations(method: object): Readonly<Record<string, unknown>> | undefined {
  const options = Reflect.getMetadata(TOOL_OPTIONS, method) as
    { annotations?: Record<string, unknown> } | undefined;
  return options?.annotations;
}

/** The decorators of @rekog/mcp-nest that control access to a tool. @internal */
export type AccessDecorator = '@PublicTool()' | '@ToolScopes()' | '@ToolRoles()';

/** The metadata keys that they write. Exported by it, and not documented. Checked with @rekog/mcp-nest 2.0.0 to 2.0.5. */
const ACCESS_KEYS: Readonly<Record<AccessDecorator, string>> = {
  '@PublicTool()': 'mcp:public-tool',
  '@ToolScopes()': 'mcp:scopes',
  '@ToolRoles()': 'mcp:roles',
};

/** The decorators of @rekog/mcp-nest on a method that control access to its tool, by what `req.user` has. @internal */
export function accessDecorators(method: object): readonly AccessDecorator[] {
  return (Object.keys(ACCESS_KEYS) as AccessDecorator[]).filter((name) =>
    Reflect.hasMetadata(ACCESS_KEYS[name], method),
  );
}

const KINDS: ReadonlyMap<unknown, 'tool' | 'prompt' | 'resource'> = new Map([
  ['tool', 'tool'],
  ['prompt', 'prompt'],
  ['resource', 'resource'],
  ['resource-template', 'resource'],
]);

/**
 * The context that @rekog/mcp-nest calls a handler with. The context of a handler of another library may have none of
 * these. `sdkContext` is private, the rest is documented. Checked with @rekog/mcp-nest 2.0.0 to 2.0.5.
 */
interface McpHandlerContext {
  readonly getRawRequest?: () => unknown;
  readonly getSession?: () => { readonly transport?: unknown } | undefined;
  /** The MCP SDK's context of the message. */
  readonly sdkContext?: { readonly http?: SdkHttp };
  readonly mcpRequest?: {
    readonly method?: unknown;
    readonly params?: { readonly name?: unknown; readonly uri?: unknown };
  };
}

/** What a transport told the MCP SDK of a message. */
interface SdkHttp {
  readonly authInfo?: unknown;
  readonly req?: unknown;
}

/** Whether a handler's context is that of a message of MCP, and not of another kind. @internal */
export function isMcpContext(context: unknown): boolean {
  return typeof (context as McpHandlerContext | null | undefined)?.getSession === 'function';
}

/** The request that the transport handed over with a message, as a handler's context has it. @internal */
export function rawRequestOf(context: unknown): unknown {
  return (context as McpHandlerContext | null | undefined)?.getRawRequest?.();
}

/** The kind of the transport of a handler's context, such as `stdio` or `streamable-http`. @internal */
export function transportKindOf(context: object): unknown {
  return (context as McpHandlerContext).getSession?.()?.transport;
}

/** What the transport of a handler's context told the MCP SDK of a message. @internal */
export function sdkHttpOf(context: object): SdkHttp | undefined {
  return (context as McpHandlerContext).sdkContext?.http;
}

/** The JSON-RPC message that a handler is called for, as its context has it: without version and id. @internal */
export function messageOf(context: unknown): unknown {
  return (context as McpHandlerContext | null | undefined)?.mcpRequest;
}

/**
 * Whether a handler's context is that of a message which asks for this handler. Code that calls another handler within a
 * call may hand on the context of its own.
 *
 * @internal
 */
export function isOfMessage(
  context: unknown,
  { method, name }: { readonly method: string; readonly name: string },
): context is object {
  if (typeof context !== 'object' || context === null) return false;
  const { mcpRequest } = context as McpHandlerContext;
  const { name: given, uri } = mcpRequest?.params ?? {};
  return mcpRequest?.method === method && (given ?? uri) === name;
}
