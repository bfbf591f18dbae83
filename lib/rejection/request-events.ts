import { AsyncResource } from 'node:async_hooks';
import { Inject, Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { RejectionReason } from '../errors/rejection-reason.js';
import { describeThrown } from '../events/escape-for-log.js';
import type {
  CompletedOperation,
  EventOperation,
  EventPrincipal,
  RequestEvent,
} from '../events/mcp-auth-event.interface.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { eventOperations } from '../mcp/event-operations.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { TokenClaims } from '../options/token.verifier.js';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { RequestContext } from '../request/request-context.js';
import type { RequestAudit, SentOperation, SentOperations } from '../request/request-audit.js';
import { presentedScheme } from './presented-token.js';
import { sentFacts, text } from './request-facts.js';

/** A request on which is decided. @internal */
export interface DecidedRequest {
  readonly audit: RequestAudit;
  /** The resource's identifier. */
  readonly resource: string;
  /** The caller, if the token was verified. */
  readonly auth: AuthInfo | undefined;
  /** The platform's request; undefined for a call without an HTTP request. */
  readonly request: object | undefined;
  /** The parsed body, or the message that a handler is called for. */
  readonly body: unknown;
  /** Whether it is a call without an HTTP request, for a local caller. */
  readonly isLocal: boolean;
  /** The verified claims, also those of a token that was rejected. */
  readonly claims?: TokenClaims | undefined;
  /** The authorization server that failed. */
  readonly issuer?: string | undefined;
}

/** Why a request is denied. @internal */
export interface Denial {
  readonly reason: RejectionReason;
  readonly status: number;
  readonly required: readonly string[];
  /** Whether only the message in `body` is denied, and its request may go on. */
  readonly isPartial: boolean;
}

/** What the answer said of an operation; undefined if nothing. @internal */
export type AnswerOutcome = (sent: SentOperation) => 'succeeded' | 'failed' | undefined;

const NONE: readonly never[] = Object.freeze([]);

/** Emits the events of requests. Call it only if there are listeners. @internal */
@Injectable()
export class RequestEvents {
  constructor(
    private readonly events: McpAuthEvents,
    private readonly log: RateLimitedLogger,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'redact'>,
  ) {}

  /** Reports once that a request was let through. */
  granted(decided: DecidedRequest): void {
    const { audit, auth } = decided;
    if (audit.decision !== undefined) return;
    audit.decision = 'granted';
    if (!this.events.isObserved('access_granted')) return;
    const base = this.baseOf(decided);
    this.events.emit({ ...base, type: 'access_granted', granted: auth?.scopes ?? NONE });
  }

  /** Reports a rejection. */
  denied(decided: DecidedRequest, denial: Denial): void {
    const { audit, auth } = decided;
    const { reason, status, required, isPartial } = denial;
    if (isPartial) audit.deniedOperations = [...audit.deniedOperations, ...sentIn(decided).operations];
    else audit.decision = 'denied';
    if (!this.events.isObserved('access_denied')) return;
    const base = this.baseOf(decided);
    const granted = auth?.scopes ?? NONE;
    this.events.emit({ ...base, type: 'access_denied', reason, status, required, granted });
  }

  /** Reports the end of an answer, in the async context of this call: a listener finds the request's span there. */
  awaitEnd(decided: DecidedRequest, response: ServerResponse, outcomeOf: AnswerOutcome): void {
    const { audit } = decided;
    if (audit.isEndAwaited || !this.events.isObserved('request_completed')) return;
    audit.isEndAwaited = true;
    const base = this.baseOf(decided);
    const { messages, operations: all } = sentIn(decided);
    const complete = AsyncResource.bind(() => {
      const status = response.headersSent ? response.statusCode : 0;
      const durationMs = performance.now() - audit.startedMs;
      const operations = Object.freeze(
        messages.map((each) => completed(each, all, audit, status, outcomeOf)),
      );
      this.events.emit({ ...base, type: 'request_completed', status, durationMs, operations });
    });
    if (response.closed) complete();
    else response.once('close', complete);
  }

  private baseOf(decided: DecidedRequest): RequestEvent {
    const { audit, auth, resource, request, body, isLocal } = decided;
    const facts = (audit.facts ??= this.factsOf(request, body, audit.sessionId));
    const hasKey = RequestContext.find(request)?.apiKeyHeader !== undefined;
    const scheme = hasKey ? 'api_key' : (presentedScheme(request) ?? (auth && 'bearer'));
    const { issuer, subject, clientId, jti, actor } = this.principalOf(decided);
    return {
      requestId: audit.requestId,
      resource,
      route: audit.route,
      operations: sentIn(decided).operations,
      issuer,
      subject,
      clientId,
      jti,
      actor,
      credential: isLocal ? 'local' : scheme,
      binding: auth?.binding,
      protocolVersion: facts.protocolVersion,
      session: facts.session,
      remoteAddress: facts.remoteAddress,
      traceparent: facts.traceparent,
    };
  }

  private principalOf({ auth, issuer, claims = auth?.claims ?? {} }: DecidedRequest): EventPrincipal {
    const { iss, sub, azp, client_id: clientId = azp, jti, act } = claims;
    const caller = auth ?? { issuer: iss, subject: sub, clientId };
    return {
      issuer: issuer ?? text(caller.issuer),
      subject: this.redacted('subject', text(caller.subject)),
      clientId: text(caller.clientId),
      jti: text(jti),
      actor: this.redacted('subject', actorOf(act)),
    };
  }

  private factsOf(
    request: object | undefined,
    body: unknown,
    sessionId: string | undefined,
  ): NonNullable<RequestAudit['facts']> {
    const facts = sentFacts(request, body, sessionId);
    if (!this.options.redact) return facts;
    return { ...facts, remoteAddress: this.redacted('remoteAddress', facts.remoteAddress) };
  }

  /** Returns what the option `redact` makes of a value. If its function fails, events have nothing in its place. */
  private redacted(name: 'subject' | 'remoteAddress', value: string | undefined): string | undefined {
    const change = this.options.redact?.[name];
    if (value === undefined || !change) return value;
    try {
      const changed: unknown = change(value);
      if (changed === undefined || typeof changed === 'string') return changed;
      if (changed instanceof Promise) changed.catch(() => undefined);
      throw new TypeError(`it returned a value of type ${typeof changed}`);
    } catch (error) {
      const kind = `the option "redact.${name}" failed, so events leave the value out`;
      this.log.write('error', kind, `${kind}: ${describeThrown(error, [value])}`);
      return undefined;
    }
  }
}

/** The operations of a body, read once for each. */
function sentIn({ audit, body }: DecidedRequest): SentOperations {
  const { sent } = audit;
  if (sent?.body === body && sent) return sent;
  const messages = eventOperations(body);
  const operations = Object.freeze(messages.map(({ operation }) => operation));
  return (audit.sent = { body, messages, operations });
}

/** Returns the name of the actor. The claims of a token that was rejected may have anything in its place. */
function actorOf(act: unknown): string | undefined {
  if (typeof act !== 'object' || act === null) return undefined;
  const { sub, client_id: clientId } = act as Readonly<Record<string, unknown>>;
  return text(sub) ?? text(clientId);
}

function count(operations: readonly EventOperation[], { method, name }: EventOperation): number {
  return operations.filter((each) => each.method === method && each.name === name).length;
}

function completed(
  sent: SentOperation,
  all: readonly EventOperation[],
  { decision, deniedOperations }: RequestAudit,
  status: number,
  outcomeOf: AnswerOutcome,
): CompletedOperation {
  const { operation } = sent;
  // If only some of several same operations were denied, the answer says which.
  const isDenied = decision === 'denied' || count(deniedOperations, operation) >= count(all, operation);
  const outcome = status >= 400 ? 'failed' : (outcomeOf(sent) ?? 'unknown');
  return Object.freeze({ ...operation, outcome: isDenied ? 'denied' : outcome });
}
