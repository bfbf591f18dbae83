import type { ServerResponse } from 'node:http';
import {
  AccessDeniedError,
  AuthorizationServerUnavailableError,
  InsufficientAuthenticationError,
} from '../errors/rejection.errors.js';
import type { ScopeChoice } from '../policy/scopes.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { AuthInfo } from './auth-info.decorator.js';

/** An authorized request, and its answer, of which nothing has been sent. @internal */
export interface AuthorizedRequest {
  /** The platform's request. */
  readonly request: object & {
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly method?: string | undefined;
  };
  /** The Node response. */
  readonly response: ServerResponse;
  /** The parsed body, or undefined if none was sent or it has not been read yet. */
  readonly body: unknown;
  /** The caller; undefined for an anonymous request. */
  readonly auth: AuthInfo | undefined;
  readonly resource: ProtectedResource;
  /** The needs of its route and its operations, in addition to the scopes of the resource. */
  readonly needed: readonly ScopeChoice[];
  /** Whether the handler may write the response itself, as an event stream. */
  readonly mayStream: boolean;
  /** Whether the route itself allows anonymous callers. */
  readonly allowsAnonymous: boolean;
}

/** The error that a handler ends its request with, and the scopes that it names. @internal */
export interface HandlerDenial {
  readonly scopes?: readonly string[];
  readonly message: string;
}

/** A denial of a request by its own handlers. @internal */
export interface Denial {
  /** The scopes that they name. */
  readonly scopes: Set<string>;
  /** The messages of their errors. */
  readonly messages: Set<string>;
  /** Whether one of the errors has left a handler: then every failure in the answer is that denial. */
  isThrown: boolean;
  /** The error of a guard that found the user's authentication too weak. It comes before missing scopes. */
  authentication: InsufficientAuthenticationError | undefined;
  /** An authorization server that did not answer the handler. It comes last. */
  outage: AuthorizationServerUnavailableError | undefined;
  /** The error that no scope cures. It comes before all others. */
  access: AccessDeniedError | undefined;
}

/** Holds the answer to a request that its handler denies. @internal */
export interface DenialListener {
  /** Called once for each request. */
  denied(state: ResponseState, denial: Denial): void;
}

/**
 * The state of an authorized request until its answer is closed: one object for each request and response, with the state of
 * each part of lib/response.
 *
 * @internal
 */
export class ResponseState {
  /** Whether the request still counts as authorized: if a later layer rejects it, that layer answers. */
  isCurrent = true;
  /** Sessions: the caller, by resource. Several layers may authorize a request, each for a resource of its own. */
  callers: Map<string, AuthInfo | undefined> | undefined = undefined;
  /**
   * Lists: the encodings that the client accepts, hidden from code that could compress the answer; undefined if no list is
   * expected.
   */
  list: { readonly acceptEncoding: unknown } | undefined = undefined;
  /** Late step-up. */
  denial: Denial | undefined = undefined;
  /** Streams: when the token expires, in seconds since the epoch; undefined if the answer is not observed. */
  expiresAt: number | undefined = undefined;
  /** Streams: the index among the observed answers; -1 for none. */
  place = -1;

  constructor(
    /** As the last layer authorized it, which knows the body. */
    public authorized: AuthorizedRequest,
    private readonly listener: DenialListener,
  ) {}

  /**
   * Records that a handler denies the request.
   *
   * @param isThrown - whether the error has left the handler
   * @returns false if the request was rejected otherwise
   */
  deny(error: HandlerDenial, isThrown: boolean): boolean {
    if (!this.isCurrent) return false;
    const known = this.denial;
    const denial = (this.denial ??= {
      scopes: new Set(),
      messages: new Set(),
      isThrown,
      authentication: undefined,
      access: undefined,
      outage: undefined,
    });
    // The handler has caught missing scopes before, or it throws them later.
    if (isThrown && !denial.isThrown && error instanceof AuthorizationServerUnavailableError)
      denial.scopes.clear();
    addTo(denial, error);
    denial.messages.add(error.message);
    denial.isThrown ||= isThrown;
    if (!known) this.listener.denied(this, denial);
    return true;
  }
}

/** Adds what an error asks for: the first of each kind counts. */
function addTo(denial: Denial, error: HandlerDenial): void {
  if (error instanceof InsufficientAuthenticationError) denial.authentication ??= error;
  if (error instanceof AccessDeniedError) denial.access ??= error;
  if (error instanceof AuthorizationServerUnavailableError) denial.outage ??= error;
  for (const scope of error.scopes ?? []) denial.scopes.add(scope);
}
