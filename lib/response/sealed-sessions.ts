import { randomUUID } from 'node:crypto';
import { nodeRequestOf } from '../platform/node-message.js';
import { RequestContext } from '../request/request-context.js';
import type { AuthorizedRequest, ResponseState } from '../request/response-state.js';
import { rewriteHeader } from './intercept-response.js';
import { addCaller, ANYBODY, isSuccess, ownerOf } from './session-callers.js';
import { type HeadedRequest, mayOpenSession, replaceHeader, SESSION_ID } from './session-id.js';
import { SessionSeal } from './session-seal.js';

/**
 * Binds sessions to their callers by a seal on the session id, in place of a table in this process. The client gets the sealed
 * id, the transport gets its own one.
 *
 * A session that was opened without a token stays one: only this process would know that it has passed to a caller.
 *
 * If several layers authorize a request for resources of their own, the seals are nested: the seal of the first layer is the
 * outermost, and each layer removes its own.
 *
 * @internal
 */
export class SealedSessions {
  private readonly seal: SessionSeal;

  /** @param onOpening - gets the transport's id of each new session */
  constructor(
    secrets: readonly string[],
    private readonly onOpening: (id: string) => void,
  ) {
    this.seal = new SessionSeal(secrets);
  }

  /** Whether a session id in the header of a request was sealed for callers of a resource without a token. */
  isAnonymous(request: object, resource: string, id: string): boolean {
    const session = RequestContext.find(request)?.session;
    const isOpened = session?.id === id && session.owners.get(resource) === ANYBODY.key;
    return isOpened || this.seal.open(id, { resource, owner: ANYBODY.key }) !== undefined;
  }

  intercept(state: ResponseState): void {
    const { request, response, body } = state.authorized;
    const given = request.headers[SESSION_ID];
    // An empty id counts as none, as for transports.
    const isNamed = given !== undefined && given !== '';
    if (isNamed && !(typeof given === 'string' && this.open(state.authorized, given))) hide(request);
    const mayOpen = request.method === 'POST' && mayOpenSession(body);
    if ((!isNamed && !mayOpen) || !addCaller(state)) return;
    rewriteHeader(response, SESSION_ID, (id, status) => this.sealed(state, id, status));
  }

  /** Removes the seal of this layer from a session id. Returns false if the session is not the caller's. */
  private open({ request, resource: { options }, auth }: AuthorizedRequest, given: string): boolean {
    const { resource } = options;
    const owner = ownerOf(auth).key;
    const context = RequestContext.of(request);
    const known = context.session?.id === given ? context.session : undefined;
    if (known?.owners.get(resource) === owner) return true;
    const id = this.seal.open(given, { resource, owner });
    if (id === undefined) return false;
    context.session = { id, owners: new Map(known?.owners).set(resource, owner) };
    replaceHeader(nodeRequestOf(request) as HeadedRequest, SESSION_ID, id);
    return true;
  }

  /** Official clients may take over the id of any answer, so each has the sealed one. */
  private sealed(state: ResponseState, id: string, status: number): string {
    const { request, body } = state.authorized;
    const session = RequestContext.find(request)?.session;
    if (session?.id === id) return this.sealAll(id, [...session.owners]);
    if (request.method !== 'POST' || !mayOpenSession(body) || !isSuccess(status)) return id;
    this.onOpening(id);
    const callers = [...(state.callers ?? [])];
    return this.sealAll(
      id,
      callers.map(([resource, auth]) => [resource, ownerOf(auth).key]),
    );
  }

  private sealAll(id: string, owners: readonly (readonly [resource: string, owner: string])[]): string {
    return owners.reduceRight((text, [resource, owner]) => this.seal.seal(text, { resource, owner }), id);
  }
}

/** Replaces a session id by a fresh one: the transport answers as for any unknown session. */
function hide(request: AuthorizedRequest['request']): void {
  const node = nodeRequestOf(request) as HeadedRequest;
  replaceHeader(node, SESSION_ID, randomUUID());
  replaceHeader(node, 'last-event-id', undefined);
}
