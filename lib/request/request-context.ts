import { AsyncLocalStorage } from 'node:async_hooks';
import { nodeRequestOf } from '../platform/node-message.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { AuthInfo } from './auth-info.decorator.js';
import { Authorization } from './authorization.js';
import { RequestAudit } from './request-audit.js';
import type { ResponseState } from './response-state.js';

/** The caller of a request, verified for one resource. @internal */
export interface Authentication {
  readonly auth: AuthInfo;
  readonly resource: ProtectedResource;
  /** The caller in the form of the option `requestUser`. */
  readonly user?: unknown;
}

/** The Origin and Host of a request, checked for one resource. */
interface CheckedOrigin {
  readonly resource: ProtectedResource;
  /** The allowed origin as sent; undefined if the request has none. */
  readonly allowed: string | undefined;
}

/** A request that needs no caller: at a resource, or because its route is public. */
interface OpenRequest {
  readonly resource: ProtectedResource | undefined;
}

/** A session that the request names, after a seal on its id was removed. @internal */
export interface OpenedSession {
  /** The id in the header now. */
  readonly id: string;
  /** The key of the owner at each resource whose seal was removed, the first removed first. */
  readonly owners: ReadonlyMap<string, string>;
}

/** Returns its argument, so that the subclass installs its private field on an existing object. */
const Given = function (given: object): object {
  return given;
} as unknown as new (given: object) => object;

/**
 * Keeps a request's context in a private field of the Node request, which is the same object in a middleware, a hook and a
 * guard. Only this class can write the field, so no other code can make a request count as authenticated. A WeakMap would do
 * the same, but costs time at every garbage collection.
 */
class ContextField extends Given {
  #context: RequestContext | undefined;

  static find(request: object): RequestContext | undefined {
    return #context in request ? request.#context : undefined;
  }

  static install(request: object): RequestContext {
    const field = new ContextField(request);
    return (field.#context = new RequestContext(request));
  }
}

/** The Node request in whose course code runs. Its context is made when it is asked for. */
const current = new AsyncLocalStorage<object>();

/**
 * Everything that the package knows of one request: its origin, its caller, and its authorization.
 *
 * A call without HTTP has one too; the object that the transport creates for each call replaces the request.
 *
 * @internal
 */
export class RequestContext {
  /** Set once the request's Host and Origin were checked. */
  origin: CheckedOrigin | undefined;
  /** Set once the token was verified; undefined for an anonymous caller. */
  authentication: Authentication | undefined;
  /** Set if the request may be served without a caller. */
  open: OpenRequest | undefined;
  /** The resource for which a request was authenticated before its body was read. */
  awaitsBody: ProtectedResource | undefined;
  /** The resource of the tenant whose path the request names, once a layer has needed it. */
  tenantResource: ProtectedResource | undefined;
  /** The state of the response; kept until the response is closed, even if the request is rejected later. */
  response: ResponseState | undefined;
  /** Set if sessions are sealed, and the session is the caller's. */
  session: OpenedSession | undefined;

  /** The header that has an API key of the resource, valid or not. In lower case; undefined without a key. */
  apiKeyHeader: string | undefined;

  /** The keys of tokens and proofs that may be used once and that this request has used. */
  used: Set<string> | undefined;

  /** What events say of the request; undefined until something is reported of it. */
  private audited: RequestAudit | undefined;

  /** The property that has the caller in the form of the option `requestUser`; undefined without it. */
  userProperty: string | undefined;

  private decided: Authorization | undefined;

  /** Use {@link RequestContext.of}. */
  constructor(
    /** The Node request. */
    readonly request: object,
  ) {}

  /** Returns the context of a platform's or Node's request; created at the first call. */
  static of(request: object): RequestContext {
    const node = nodeRequestOf(request);
    return ContextField.find(node) ?? ContextField.install(node);
  }

  /** Returns the context of a request if there is one. */
  static find(request: object | undefined): RequestContext | undefined {
    return request && ContextField.find(nodeRequestOf(request));
  }

  /** Returns the context of the request in whose course this is called; undefined outside of a request. */
  static current(): RequestContext | undefined {
    const request = current.getStore();
    return request && RequestContext.of(request);
  }

  /** Runs code in the course of a platform's or Node's request, so that {@link RequestContext.current} finds its context there. */
  static run(request: object, handle: () => void): void {
    const node = nodeRequestOf(request);
    if (current.getStore() === node) handle();
    else current.run(node, handle);
  }

  /** Whether the request was authenticated, or may be served without a caller. */
  get isDecided(): boolean {
    return this.authentication !== undefined || this.open !== undefined;
  }

  /** The resource for which the request was authenticated, or may be served without a caller. */
  get resource(): ProtectedResource | undefined {
    return this.authentication?.resource ?? this.open?.resource;
  }

  /** The authorization of the request's operations, for its caller. */
  get authorization(): Authorization {
    return (this.decided ??= new Authorization());
  }

  /** What events and log lines say of the request. Made at the first call: call it only to report something. */
  get audit(): RequestAudit {
    return this.audited ?? this.beginAudit();
  }

  /** Notes the time and the head of the request, unless that is done. */
  beginAudit(): RequestAudit {
    return (this.audited ??= new RequestAudit(sessionIdOf(this.request)));
  }

  /** Records a verified caller, and stores it where the MCP SDK reads it. */
  authenticate(authentication: Authentication, request: object): void {
    this.authentication = authentication;
    this.decided = undefined;
    this.present(request);
  }

  /**
   * Records that the request may be served without a caller.
   *
   * @param resource - of an anonymous caller; undefined if the route is public
   */
  openFor(resource: ProtectedResource | undefined): void {
    if (this.open && this.open.resource === resource) return;
    this.open = { resource };
    if (!this.authentication) this.decided = undefined;
  }

  /** Removes the result of an earlier layer or route. */
  reset(request: object): void {
    this.authentication = undefined;
    this.open = undefined;
    this.decided = undefined;
    if (this.response) this.response.isCurrent = false;
    this.present(request);
  }

  /**
   * Removes the result, because the request is rejected after all.
   *
   * @returns the caller, for the report
   */
  withdraw(request: object): AuthInfo | undefined {
    const auth = this.authentication?.auth;
    if (this.isDecided) this.reset(request);
    return auth;
  }

  /** Returns the value where the MCP SDK reads the caller; another middleware may have set it. */
  presented(request: object): unknown {
    const { auth } = request as { auth?: unknown };
    return auth ?? (this.request as { auth?: unknown }).auth;
  }

  /** Returns the value of {@link userProperty}; another middleware may have set it. */
  presentedUser(request: object): unknown {
    const { userProperty: name } = this;
    if (name === undefined) return undefined;
    return (Reflect.get(request, name) ?? Reflect.get(this.request, name) ?? undefined) as unknown;
  }

  /**
   * Stores the caller where the MCP SDK reads it: `req.auth`, of the platform's request and of the Node request in it.
   *
   * @throws an error if there is a caller and other code defines a property that cannot be written
   */
  present(request: object): void {
    const auth = this.authentication?.auth;
    let isStored = storesAuth(this.request, auth);
    if (this.request !== request) isStored = storesAuth(request, auth) && isStored;
    if (!isStored && auth) throw unwritable('auth');
    if (this.userProperty !== undefined) this.presentUser(request, this.userProperty);
  }

  /**
   * Asserts that no value of other code stands for a caller, in a request that is served without one.
   *
   * @throws an error if other code defines a property that cannot be written
   */
  assertNonePresented(request: object): void {
    if (this.presented(request) !== undefined) throw unwritable('auth');
    const { userProperty: name } = this;
    if (name !== undefined && this.presentedUser(request) !== undefined) throw unwritable(name);
  }

  private presentUser(request: object, name: string): void {
    const user = this.authentication?.user;
    for (const each of new Set([this.request, request])) {
      const isStored = Reflect.set(each, name, user) && Object.is(Reflect.get(each, name), user);
      if (!isStored && this.authentication) throw unwritable(name);
    }
  }
}

function sessionIdOf(request: object): string | undefined {
  const { headers } = request as { headers?: Readonly<Record<string, unknown>> };
  const id = headers?.['mcp-session-id'];
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** Sets `auth`, and returns whether it has the value then. */
function storesAuth(request: { auth?: AuthInfo | undefined }, auth: AuthInfo | undefined): boolean {
  try {
    request.auth = auth;
  } catch {
    return false; // a property without a setter
  }
  return request.auth === auth;
}

function unwritable(name: string): Error {
  const other = name === 'auth' ? '' : ', or choose another "requestUser.property"';
  return new Error(
    `"req.${name}" cannot be written: other code defines it, for example by a getter. Remove that definition${other}.`,
  );
}
