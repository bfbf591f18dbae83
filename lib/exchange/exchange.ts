import { type ServerResponse } from 'node:http';
import { type AuthInfo } from '../auth-info/auth-info.decorator.js';
import { type ScopeChoice } from '../gate/scopes.js';
import { type KnownResource } from '../resource-metadata/protected-resource.registry.js';

/** A request that was let in, and its answer, of which nothing has been sent. @internal */
export interface Exchange {
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
  readonly resource: KnownResource;
  /** What its route and its operations need, beside the scopes of the resource. */
  readonly needed: readonly ScopeChoice[];
  /** Whether the handler may write the response itself, as an event stream. */
  readonly mayStream: boolean;
}

/**
 * Looks after what comes of a request once it has been let in. Asked by each layer that lets a request in: more than once
 * where several stand before a handler, the first of them perhaps before the body is read. Does its work once for a
 * request, and none for those that it has nothing to do with.
 *
 * @internal
 */
export interface ExchangeWatcher {
  /** @throws one of the refusals of lib/errors, where the request may not go on after all */
  attend(exchange: Exchange): void;
}
