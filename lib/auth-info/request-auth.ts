import { type ArgumentsHost } from '@nestjs/common';
import { type IncomingMessage } from 'node:http';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';
import { nodeRequestOf } from '../platform/node-message.js';
import { type AuthInfo } from './auth-info.decorator.js';
import { currentRequest } from './current-request.js';
import { type RequestDecisions } from './request-decisions.js';
import { type ResponseState } from './response-state.js';

/** Who a request was admitted as, and for which resource. @internal */
export interface Admission {
  readonly auth: AuthInfo;
  readonly resource: KnownResource;
  /** What has been decided of the request as it was sent; made when there is something to keep. */
  decisions?: RequestDecisions;
}

/** A request that may be served without a caller: for a resource, or because its route is open to everybody. */
interface OpenRequest {
  readonly resource: KnownResource | undefined;
}

/** A constructor that gives back what it is given, so that a private member goes on that. */
const Given = function (given: object): object {
  return given;
} as unknown as new (given: object) => object;

/**
 * What was admitted, and what looks after the answer, as private members on the Node request: they are the same in a
 * middleware, a hook and a guard. Kept apart from `req.auth`, which anything in the application can write, so that
 * nothing but this package makes a request count as admitted. A WeakMap would do the same, at a price with every
 * garbage collection.
 */
class AdmittedRequest extends Given {
  #admission: Admission | undefined;
  #open: OpenRequest | undefined;
  #response: ResponseState | undefined;
  #undecided: KnownResource | undefined;

  static set(request: object, admission: Admission | undefined): void {
    AdmittedRequest.#of(request).#admission = admission;
  }

  static get(request: object): Admission | undefined {
    return #admission in request ? request.#admission : undefined;
  }

  static setOpen(request: object, open: OpenRequest | undefined): void {
    AdmittedRequest.#of(request).#open = open;
  }

  static getOpen(request: object): OpenRequest | undefined {
    return #admission in request ? request.#open : undefined;
  }

  static setResponse(request: object, response: ResponseState): void {
    AdmittedRequest.#of(request).#response = response;
  }

  static getResponse(request: object): ResponseState | undefined {
    return #admission in request ? request.#response : undefined;
  }

  static setUndecided(request: object, resource: KnownResource): void {
    AdmittedRequest.#of(request).#undecided = resource;
  }

  static getUndecided(request: object): KnownResource | undefined {
    return #admission in request ? request.#undecided : undefined;
  }

  static #of(request: object): AdmittedRequest {
    return #admission in request ? request : new AdmittedRequest(request);
  }
}

/** Makes room in a Node request for what is recorded here, before anything else is done to it. It need not be called. @internal */
export function makeRoom(request: IncomingMessage): void {
  AdmittedRequest.set(request, undefined);
  if (!('auth' in request)) presentCaller(request, undefined);
}

/** Records an admission, and presents the caller. @internal */
export function recordAdmission(request: object, admission: Admission): void {
  AdmittedRequest.set(nodeRequestOf(request), admission);
  presentCaller(request, admission.auth);
}

/** Takes back what an earlier layer or route may have left, before the request is decided on. @internal */
export function clearAdmission(request: object): void {
  AdmittedRequest.set(nodeRequestOf(request), undefined);
  AdmittedRequest.setOpen(nodeRequestOf(request), undefined);
  const response = responseOf(request);
  if (response) response.isCurrent = false;
  presentCaller(request, undefined);
}

/** Takes an admission back where the request is refused for its scopes; who it was, for the report. @internal */
export function withdrawAdmission(request: object): AuthInfo | undefined {
  const auth = admissionOf(request)?.auth;
  if (isDecided(request)) clearAdmission(request);
  return auth;
}

/**
 * Records that a request may be served without a caller.
 *
 * @param resource - of an anonymous caller; undefined if the route is open to everybody
 * @internal
 */
export function recordOpen(request: object, resource?: KnownResource): void {
  AdmittedRequest.setOpen(nodeRequestOf(request), { resource });
}

/** The resource that a request was decided on for; undefined if there is none. @internal */
export function decidedResource(request: object): KnownResource | undefined {
  return admissionOf(request)?.resource ?? AdmittedRequest.getOpen(nodeRequestOf(request))?.resource;
}

/** Whether a request was authenticated, or may be served without a caller. @internal */
export function isDecided(request: object): boolean {
  return admissionOf(request) !== undefined || AdmittedRequest.getOpen(nodeRequestOf(request)) !== undefined;
}

/** Keeps what is known of the answer to a request that was let in. @internal */
export function recordResponse(request: object, response: ResponseState): void {
  AdmittedRequest.setResponse(nodeRequestOf(request), response);
}

/** What was recorded; undefined where the request has not been let in. @internal */
export function responseOf(request: object | undefined): ResponseState | undefined {
  return request && AdmittedRequest.getResponse(nodeRequestOf(request));
}

/** Keeps the resource that a request was let in for before its body was read. @internal */
export function recordUndecided(request: object, resource: KnownResource): void {
  AdmittedRequest.setUndecided(nodeRequestOf(request), resource);
}

/** The resource whose scopes are decided on once the body is read; undefined if there is nothing left to decide. @internal */
export function undecidedOf(request: object): KnownResource | undefined {
  return AdmittedRequest.getUndecided(nodeRequestOf(request));
}

/** What stands where the MCP SDK looks, whoever has put it there. @internal */
export function presentedCaller(request: object): unknown {
  const { auth } = request as { auth?: unknown };
  return auth ?? (nodeRequestOf(request) as { auth?: unknown }).auth;
}

/** Puts the caller where the MCP SDK looks: `req.auth`, of the platform's request and of the Node request in it. @internal */
export function presentCaller(request: object, auth: AuthInfo | undefined): void {
  const node = nodeRequestOf(request) as { auth?: AuthInfo | undefined };
  node.auth = auth;
  if (node !== request) (request as { auth?: AuthInfo | undefined }).auth = auth;
}

/** As {@link recordAdmission}, for a call that no HTTP request stands behind. @internal */
export function recordLocalCaller(carrier: object, admission: Admission): void {
  AdmittedRequest.set(carrier, admission);
}

/** @internal */
export function admissionOf(request: object | undefined): Admission | undefined {
  return request && AdmittedRequest.get(nodeRequestOf(request));
}

/** The part of @rekog/mcp-nest's handler context that leads back to the HTTP request. */
interface RequestCarrier {
  getRawRequest?: () => unknown;
}

/**
 * The HTTP request behind a handler: of an HTTP route, or of an MCP handler that a transport calls for one (`rpc` with
 * `@rekog/mcp-nest`, `mcp` with `@nestjs/mcp`). Undefined where there is none.
 *
 * An MCP handler belongs to the request in whose course it runs. What its transport hands on may be another one: in a
 * stateful session requests that run at the same time overwrite it for each other.
 *
 * @internal
 */
export function requestOf(context: ArgumentsHost): object | undefined {
  const type = context.getType<string>();
  if (type === 'http') return context.switchToHttp().getRequest<object>();
  if (type === 'mcp') return currentRequest();
  if (type !== 'rpc') return undefined;
  const carrier = context.switchToRpc().getContext<RequestCarrier | undefined>();
  const request = carrier?.getRawRequest?.();
  if (typeof request !== 'object' || request === null) return undefined;
  return currentRequest() ?? request;
}
