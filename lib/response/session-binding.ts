import { hash, randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { principalKey } from '../request/principal-key.js';
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
import { type Owner, SessionOwners } from './session-owners.js';
import { OpenResponses } from './open-responses.js';
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
 * ignored, because the client chooses it.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-11-25/basic/security_best_practices#session-hijacking | MCP security best practices, session hijacking}
 * @internal
 */
@Injectable()
export class SessionBinding {
  private readonly logger = new OperatorLogger();
  private readonly sessions: SessionOwners | undefined;
  private readonly streams = new AnnouncedStreams();
  private readonly anybodys = new OpenResponses();
  private hasWarned = false;

  constructor(
    private readonly host: HttpAdapterHost,
    @Inject(MCP_AUTH_OPTIONS)
    { sessionBinding, now }: Pick<ResolvedMcpAuthOptions, 'sessionBinding' | 'now'>,
  ) {
    this.sessions = sessionBinding && new SessionOwners(sessionBinding, steadySeconds(now));
  }

  /** How many sessions are bound to callers. */
  get size(): number {
    return this.sessions?.size ?? 0;
  }

  /** Whether a session was opened without a token, and no caller with a token has taken it over. False without binding. */
  isAnonymous({ options }: ProtectedResource, id: string): boolean {
    return this.sessions?.use(sessionKey(options.resource, id), ANYBODY) ?? false;
  }

  intercept(state: ResponseState): void {
    if (!this.sessions) return;
    const { authorized } = state;
    const { request, body } = authorized;
    const id = request.headers[SESSION_ID];
    // An empty id counts as none, as for transports.
    if (id !== undefined && id !== '') this.interceptSession(state, id, this.sessions);
    if (request.method === 'POST') {
      if (mayOpenSession(body)) this.interceptOpening(state, this.sessions);
    } else if (request.method === 'GET' && !id && takesStream(authorized)) {
      this.interceptStream(state);
    }
    if (!this.streams.isEmpty) this.interceptMessage(authorized);
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

/** Adds the caller. Returns whether it is the first, so that the response is not intercepted yet. */
function addCaller(state: ResponseState): boolean {
  const { resource, auth } = state.authorized;
  const isFirst = state.callers === undefined;
  (state.callers ??= new Map()).set(resource.options.resource, auth);
  return isFirst;
}

/** Returns a key. It is unambiguous, because neither a URL nor a header contains a line break. */
function sessionKey(resource: string, id: string): string {
  return `${resource}\n${id}`;
}

/** The owner for all callers without a token. */
const ANYBODY: Owner = { key: '', sharer: '' };

/** Returns a caller's keys, of fixed length. All clients of one person share; a client without a subject does not. */
function ownerOf(auth: AuthInfo | undefined): Owner {
  if (!auth) return ANYBODY;
  const { issuer, subject } = auth;
  const person = subject === undefined ? principalKey(auth) : JSON.stringify([issuer, subject]);
  return { key: digest(principalKey(auth)), sharer: digest(person) };
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}

/** Whether a request has a body that no layer has read yet. */
function isUnread({ body, request }: AuthorizedRequest): boolean {
  return body === undefined && hasContent(request);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
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
