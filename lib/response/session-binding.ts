import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import type { AuthorizedRequest, ResponseState } from '../request/response-state.js';
import { steadySeconds } from '../authorization-server/steady-clock.js';
import { OperatorLogger } from '../events/operator.logger.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { isFastify } from '../platform/fastify.js';
import { hasContent, nodeRequestOf } from '../platform/node-message.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { AnnouncedStreams } from './announced-streams.js';
import { beforeHead } from './intercept-response.js';
import { OpenResponses } from './open-responses.js';
import { SealedSessions } from './sealed-sessions.js';
import { addCaller, ANYBODY, isSuccess, ownerOf } from './session-callers.js';
import { SessionOwners } from './session-owners.js';
import {
  type HeadedRequest,
  isSoundSessionId,
  mayOpenSession,
  namesEventStream,
  replaceHeader,
  SESSION_ID,
} from './session-id.js';
import { onAnnouncedSession } from './session-stream.js';
import { replaceTargetValue, type TargetedRequest } from './target-values.js';

const UNREACHABLE =
  'A request names the stream of another caller and cannot be rewritten before its handler runs; ' +
  'guard the message endpoint with BearerAuthGuard';

/**
 * Binds each session of a stateful transport to the caller that opened it. For other callers it does not exist.
 *
 * If the session id belongs to another caller, or is unknown here, it is replaced by a fresh id. So the transport answers
 * as for any unknown session, and the response does not reveal whether the session exists. The protocol version is
 * ignored, because the client chooses it. The owners are in this process, or in the session ids: see {@link SealedSessions}.
 * Streams of MCP 2024-11-05 are bound in this process either way: they live no longer than their connection to it.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-11-25/basic/security_best_practices#session-hijacking | MCP security best practices, session hijacking}
 * @internal
 */
@Injectable()
export class SessionBinding {
  private readonly logger = new OperatorLogger();
  /** Undefined without binding, and if sessions are sealed. */
  private readonly sessions: SessionOwners | undefined;
  private readonly sealed: SealedSessions | undefined;
  private readonly streams = new AnnouncedStreams();
  private readonly anybodys = new OpenResponses();
  private hasWarned = false;

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(MCP_AUTH_OPTIONS)
    { sessionBinding, now }: Pick<ResolvedMcpAuthOptions, 'sessionBinding' | 'now'>,
  ) {
    if (sessionBinding?.secrets) {
      this.sealed = new SealedSessions(sessionBinding.secrets, (id) => {
        this.warnOfWeak(id);
      });
    } else if (sessionBinding) this.sessions = new SessionOwners(sessionBinding, steadySeconds(now));
  }

  /** How many sessions are bound to callers in this process, and the limit; both 0 if none are. */
  get state(): { readonly entries: number; readonly maxEntries: number } {
    return { entries: this.sessions?.size ?? 0, maxEntries: this.sessions?.limits.maxSessions ?? 0 };
  }

  /** Whether a session was opened without a token, and no caller with a token has taken it over. False without binding. */
  isAnonymous(request: object, { options }: ProtectedResource, id: string): boolean {
    const { resource } = options;
    if (this.sealed) return this.sealed.isAnonymous(request, resource, id);
    return this.sessions?.use(sessionKey(resource, id), ANYBODY) ?? false;
  }

  intercept(state: ResponseState): void {
    const { authorized } = state;
    const { request } = authorized;
    if (this.sealed) this.sealed.intercept(state);
    else if (this.sessions) this.interceptSessions(state, this.sessions);
    else return;
    if (request.method === 'GET' && !request.headers[SESSION_ID] && takesStream(authorized)) {
      this.interceptStream(state);
    }
    if (!this.streams.isEmpty) this.interceptMessage(authorized);
  }

  private interceptSessions(state: ResponseState, sessions: SessionOwners): void {
    const { request, body } = state.authorized;
    const id = request.headers[SESSION_ID];
    // An empty id counts as none, as for transports.
    if (id !== undefined && id !== '') this.interceptSession(state, id, sessions);
    if (request.method === 'POST' && mayOpenSession(body)) this.interceptOpening(state, sessions);
  }

  private interceptSession(state: ResponseState, id: string | string[], sessions: SessionOwners): void {
    const { authorized } = state;
    const key = typeof id === 'string' ? sessionKey(authorized.resource.options.resource, id) : undefined;
    if (key !== undefined && this.mayUse(key, state, sessions)) {
      if (authorized.request.method === 'DELETE') {
        beforeHead(authorized.response, ({ status }) => {
          if (isSuccess(status)) sessions.forget(key);
        });
      }
      return;
    }
    const node = nodeRequestOf(authorized.request) as HeadedRequest;
    replaceHeader(node, SESSION_ID, randomUUID());
    replaceHeader(node, 'last-event-id', undefined);
  }

  /**
   * Whether a caller may use a session. A session opened without a token passes to its first caller with one, once. While the
   * body is unread, the request may still be rejected, and the anonymous client would lose its session. So the session passes
   * when a later layer has read and authorized the body, or when the response succeeds, if no such layer follows.
   */
  private mayUse(key: string, state: ResponseState, sessions: SessionOwners): boolean {
    const { auth, response } = state.authorized;
    if (!auth) {
      if (!sessions.use(key, ANYBODY)) return false;
      this.anybodys.add(key, response);
      return true;
    }
    if (sessions.use(key, ownerOf(auth))) return true;
    if (!isUnread(state.authorized)) return this.pass(key, auth, sessions);
    if (!sessions.use(key, ANYBODY)) return false;
    beforeHead(response, ({ status }) => {
      if (state.isCurrent && isSuccess(status)) this.pass(key, auth, sessions);
    });
    return true;
  }

  /** Passes an anonymous session to a caller, and ends its anonymous streams. Returns false if it is none. */
  private pass(key: string, auth: AuthInfo, sessions: SessionOwners): boolean {
    if (!sessions.pass(key, ANYBODY, ownerOf(auth))) return false;
    this.anybodys.end(key);
    return true;
  }

  private interceptOpening(state: ResponseState, sessions: SessionOwners): void {
    if (!addCaller(state)) return;
    beforeHead(state.authorized.response, ({ status, header }) => {
      const id = header(SESSION_ID);
      if (id === undefined || !isSuccess(status)) return;
      this.warnOfWeak(id);
      for (const [resource, auth] of state.callers ?? []) {
        sessions.bind(sessionKey(resource, id), ownerOf(auth));
      }
    });
  }

  private interceptStream(state: ResponseState): void {
    if (!addCaller(state)) return;
    const { response } = state.authorized;
    onAnnouncedSession(response, (values) => {
      const keys = [...(state.callers ?? [])].map(([resource, auth]) =>
        sessionKey(resource, ownerOf(auth).key),
      );
      response.once('close', this.streams.open(values, keys));
    });
  }

  /** Replaces ids of other callers' open streams, anywhere in the target of a message. */
  private interceptMessage({ request, auth, resource }: AuthorizedRequest): void {
    const node = nodeRequestOf(request) as TargetedRequest;
    const foreign = this.streams.foreign(node, sessionKey(resource.options.resource, ownerOf(auth).key));
    if (foreign.length === 0) return;
    if (node === request && isFastify(this.host.httpAdapter)) throw new Error(UNREACHABLE);
    for (const value of foreign) replaceTargetValue(request, node, value, randomUUID());
  }

  private warnOfWeak(id: string): void {
    if (this.hasWarned || isSoundSessionId(id)) return;
    this.hasWarned = true;
    this.logger.warn(
      'A transport gives out session ids that are too short for 128 random bits or have other characters than visible ' +
        'ASCII; give it a sessionIdGenerator such as crypto.randomUUID()',
    );
  }
}

/** Returns a key. It is unambiguous, because neither a URL nor a header contains a line break. */
function sessionKey(resource: string, id: string): string {
  return `${resource}\n${id}`;
}

/** Whether a request has a body that no layer has read yet. */
function isUnread({ body, request }: AuthorizedRequest): boolean {
  return body === undefined && hasContent(request);
}

/**
 * Whether the response may be an event stream: the client requests one, or accepts anything and the handler may write one.
 * Intercepting all other responses would cost more than verifying their tokens.
 */
function takesStream({ request, mayStream }: AuthorizedRequest): boolean {
  return (
    namesEventStream(request) ||
    (mayStream && /text\/\*|\*\/\*/i.test(String(request.headers['accept'] ?? '*/*')))
  );
}
