import type { ServerResponse } from 'node:http';
import type { ScopeChoice } from '../policy/scopes.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { AuthInfo } from './auth-info.decorator.js';

/** A request that was let in, and its answer, of which nothing has been sent. @internal */
export interface AuthorizedRequest {
  /** The platform's request. */
  readonly request: object & {
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly method?: string | undefined;
  };
  /** The Node response. */
  readonly response: ServerResponse;
  /** The parsed body, or undefined where none was sent or nobody has read it yet. */
  readonly body: unknown;
  /** Who was let in; undefined for anybody. */
  readonly auth: AuthInfo | undefined;
  readonly resource: ProtectedResource;
  /** What its route and its operations need, beside the scopes of the resource. */
  readonly needed: readonly ScopeChoice[];
  /** Whether the handler may write the response itself, as an event stream. */
  readonly mayStream: boolean;
}

/** That handlers have denied their own request. @internal */
export interface Denial {
  /** The scopes that they name. */
  readonly scopes: Set<string>;
  /** What their errors say. */
  readonly messages: Set<string>;
  /** Whether one of the errors has left a handler: then any failure in the answer is that denial. */
  isThrown: boolean;
}

/** Holds the answer to a request that its handler denies. @internal */
export interface DenialListener {
  /** Called once for each request. */
  denied(state: ResponseState, denial: Denial): void;
}

/**
 * What is kept of a request that was let in until its answer is closed: one object for each request and response, with
 * what each part of lib/response keeps.
 *
 * @internal
 */
export class ResponseState {
  /** Whether the request still counts as let in: once a later layer rejects it, that layer answers. */
  isCurrent = true;
  /** Sessions: who was let in, by resource. Several layers may let a request in, each for a resource of its own. */
  callers: Map<string, AuthInfo | undefined> | undefined = undefined;
  /** Lists: what the client can decode, which is kept from what could compress the answer; undefined if no list is looked for. */
  list: { readonly acceptEncoding: unknown } | undefined = undefined;
  /** Late step-up. */
  denial: Denial | undefined = undefined;
  /** Streams: when the token ends, in seconds since the epoch; undefined if the answer is not watched. */
  expiresAt: number | undefined = undefined;
  /** Streams: the place among the answers that are watched; -1 for none. */
  place = -1;

  constructor(
    /** As the last layer has let it in, which knows the body. */
    public authorized: AuthorizedRequest,
    private readonly listener: DenialListener,
  ) {}

  /**
   * Records that a handler denies the request.
   *
   * @param isThrown - whether the error has left the handler
   * @returns false if the request was rejected otherwise
   */
  deny(error: { readonly scopes: readonly string[]; readonly message: string }, isThrown: boolean): boolean {
    if (!this.isCurrent) return false;
    const known = this.denial;
    const denial = (this.denial ??= { scopes: new Set(), messages: new Set(), isThrown });
    for (const scope of error.scopes) denial.scopes.add(scope);
    denial.messages.add(error.message);
    denial.isThrown ||= isThrown;
    if (!known) this.listener.denied(this, denial);
    return true;
  }
}
