import { type ModulesContainer } from '@nestjs/core';
import { type Observable } from 'rxjs';
import { ROUTE_ARGUMENTS } from './nest-metadata.js';

/** What a transport of @rekog/mcp-nest is started with. @internal */
export interface TransportContext {
  readonly httpAdapter?: object | undefined;
}

/** A transport of @rekog/mcp-nest, or one of the application for it: the part that is used. @internal */
export interface McpTransport {
  start(context: TransportContext): unknown;
}

/** A strategy of @rekog/mcp-nest, which Nest connects as a microservice. @internal */
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
  const { getRpcTargetRegistry } = modules as Partial<ModulesContainer>;
  const connected = getRpcTargetRegistry?.call(modules) as Observable<object> | undefined;
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

/** The methods of its HTTP transport that serve a request, whatever route they are called from. */
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
 * that are registered at run time too. The strategy makes a context for each.
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

/** How a class hands requests to a transport: by the handlers that the transport gives to routes. */
const HANDS_OVER = /\.handle(?:Post|Get|Delete)\(\s*[^(),]+,|\bhttpHandlers\b/;

/** How Nest writes the request and the response among the parameters of routes. */
const REQUEST_AND_RESPONSE = [/^0:/, /^1:/];

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
  const parameters = (Reflect.getMetadata(ROUTE_ARGUMENTS, controller, name) ?? {}) as object;
  const keys = Object.keys(parameters);
  if (!REQUEST_AND_RESPONSE.every((kind) => keys.some((key) => kind.test(key)))) return false;
  return chainOf(controller).some((type) =>
    [type, type.prototype[name]].some(
      (code) => typeof code === 'function' && HANDS_OVER.test(sourceOf(code)),
    ),
  );
}

interface Class {
  readonly prototype: Readonly<Record<string, unknown>>;
}

/** A class and those that it extends. */
function chainOf(type: object): readonly Class[] {
  const parent = Object.getPrototypeOf(type) as object | null;
  const above = parent === null || parent === Function.prototype ? [] : chainOf(parent);
  return [type as Class, ...above];
}

function sourceOf(code: object): string {
  return Function.prototype.toString.call(code);
}

/** The part of @rekog/mcp-nest's handler context that tells which message a handler is called for. */
interface MessageCarrier {
  readonly mcpRequest?: {
    readonly method?: unknown;
    readonly params?: { readonly name?: unknown; readonly uri?: unknown };
  };
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
  const { mcpRequest } = context as MessageCarrier;
  const { name: given, uri } = mcpRequest?.params ?? {};
  return mcpRequest?.method === method && (given ?? uri) === name;
}
