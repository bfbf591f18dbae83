import { Inject, Injectable } from '@nestjs/common';
import type { ServerResponse } from 'node:http';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { RequestAudit } from '../request/request-audit.js';
import { RequestContext } from '../request/request-context.js';
import { rejectionReason, type RejectionReason } from '../errors/rejection-reason.js';
import {
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
  TenantRejectedError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { describeFault, describeThrown, escapeForLog } from '../events/escape-for-log.js';
import { isolate } from '../events/isolate.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { rejectedClaims } from '../policy/rejected-claims.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { UnauthorizedRequest } from '../options/mcp-auth-options.js';
import type {
  ResolvedMcpAuthOptions,
  ResolvedProtectedResourceOptions,
} from '../options/resolved-options.interface.js';
import { type CredentialRequest, presentedSecrets } from '../token/credential-sources.js';
import { describeRejection } from './rejection-details.js';
import { RequestEvents } from './request-events.js';
import { remoteAddressOf } from './request-facts.js';

/** A request, or an operation of it, that was rejected. @internal */
export interface Rejection {
  readonly failure: unknown;
  /** The HTTP status of the rejection, even if a tool result carries its challenge. */
  readonly status: number;
  /** The resource's identifier. */
  readonly resource: string;
  /** Its options; undefined for those of the resource with this identifier. */
  readonly options?: ResolvedProtectedResourceOptions;
  /** The caller, if the token was verified. */
  readonly auth: AuthInfo | undefined;
  /** The HTTP request, if there is one. */
  readonly request: object | undefined;
  /** The Node response of the HTTP request, if it is known. */
  readonly response?: ServerResponse | undefined;
  /** The parsed body. For a handler that is called within a request, or without one: its message. */
  readonly body?: unknown;
  /** The handler of Nest, if it is known. */
  readonly route?: string | undefined;
  /** Whether only the message in `body` is rejected, and its request may go on. */
  readonly isPartial?: boolean;
  /** Represents a call without an HTTP request. */
  readonly localCall?: object | undefined;
}

/**
 * Reports rejections to listeners and to the operator's log, with a common id.
 *
 * Listeners get the principal of the token, never the token itself. The log gets the resource, the reason, and what was
 * expected and found.
 *
 * @internal
 */
@Injectable()
export class DecisionReport {
  private readonly toldOfForeign = new Set<string>();

  constructor(
    private readonly events: McpAuthEvents,
    private readonly log: RateLimitedLogger,
    @Inject(MCP_AUTH_OPTIONS)
    private readonly options: Pick<
      ResolvedMcpAuthOptions,
      'onUnauthorized' | 'resources' | 'now' | 'clockToleranceSeconds' | 'maxTokenLength'
    >,
    private readonly requestEvents: RequestEvents,
  ) {}

  /**
   * Warns that another middleware sets a property of requests that has the caller. It warns only once: the cause is how the
   * application is built.
   */
  foreignAuth(property: string): void {
    if (this.toldOfForeign.has(property)) return;
    this.toldOfForeign.add(property);
    const line = `Another middleware also sets "req.${property}" and is overwritten. Remove one of the two.`;
    this.log.write('warn', `foreign req.${property}`, line);
  }

  /** Reports that the option `toolChallenge` chose no form. */
  failedChoice(error: Error): void {
    const kind = 'the option "toolChallenge" chose no form, so the answer is HTTP';
    this.log.write('error', kind, kind, describeFault(error));
  }

  rejected(rejection: Rejection): void {
    const { failure, status, request, localCall } = rejection;
    const reason = reasonOf(failure);
    const carrier = request ?? localCall;
    let own: RequestAudit | undefined;
    // Made only for a line that is written, or a listener.
    const audit = (): RequestAudit =>
      carrier ? RequestContext.of(carrier).audit : (own ??= new RequestAudit(undefined));
    this.logRejection(() => audit().requestId, reason, rejection);
    if (status === 401 && isOfCredentials(failure)) {
      this.tellApplication(reason as UnauthorizedRequest['reason'], rejection);
    }
    if (this.events.observesRequests) this.emit(audit(), reason, rejection);
  }

  private emit(audit: RequestAudit, reason: RejectionReason, rejection: Rejection): void {
    const { failure, status, resource, auth, request, response, body, isPartial = false } = rejection;
    if (!isPartial) audit.route ??= rejection.route;
    const decided = {
      ...{ audit, resource, auth, request, body },
      isLocal: rejection.localCall !== undefined,
      claims: auth?.claims ?? rejectedClaims(failure),
      issuer: auth ? undefined : unavailableIssuer(failure),
    };
    const required = failure instanceof InsufficientScopeError ? failure.scopes : [];
    this.requestEvents.denied(decided, { reason, status, required, isPartial });
    if (response && !isPartial) this.requestEvents.awaitEnd(decided, response, () => undefined);
  }

  private tellApplication(reason: UnauthorizedRequest['reason'], { resource, request }: Rejection): void {
    const { onUnauthorized } = this.options;
    if (!onUnauthorized) return;
    isolate(
      () => onUnauthorized({ remoteAddress: remoteAddressOf(request), resource, reason }),
      (error) => {
        const kind = 'the option "onUnauthorized" threw';
        this.log.write('error', kind, `${kind} ${describeThrown(error)}`);
      },
    );
  }

  private logRejection(id: () => string, reason: RejectionReason, rejection: Rejection): void {
    const { failure, resource } = rejection;
    if (isOutage(failure)) {
      this.log.write('warn', `${reason} ${resource}`, () => {
        const secrets = secretsOf(rejection);
        const cause = failure.cause instanceof Error ? failure.cause.message : 'unknown cause';
        const detail = `${escapeForLog(failure.message, secrets)} (${escapeForLog(cause, secrets)})`;
        return `Answered 503 for ${resource}: ${detail} (${id()})`;
      });
    } else if (reason === 'fault') {
      const secrets = secretsOf(rejection);
      const line = (): string =>
        `Answered 500 for ${resource}: ${describeThrown(failure, secrets)} (${id()})`;
      this.log.write('error', `${reason} ${resource}`, line, describeFault(failure, secrets));
    } else {
      const line = (): string =>
        `Rejected a request for ${resource}: ${reason}${this.detailOf(reason, rejection)} (${id()})`;
      this.log.write('debug', reason, line);
    }
  }

  /** Returns what was expected and what was found, for the operator. */
  private detailOf(reason: RejectionReason, rejection: Rejection): string {
    const { failure, auth, request } = rejection;
    const { resources, now, clockToleranceSeconds: toleranceSeconds, maxTokenLength } = this.options;
    const options = rejection.options ?? resources.find(({ resource }) => resource === rejection.resource);
    if (!options) return '';
    return describeRejection({
      ...{ reason, options, toleranceSeconds, maxTokenLength },
      claims: rejectedClaims(failure),
      required: failure instanceof InsufficientScopeError ? failure.scopes : [],
      granted: auth?.scopes ?? [],
      authentication: failure instanceof InsufficientAuthenticationError ? failure : undefined,
      nowSeconds: now().getTime() / 1000,
      secrets: secretsOf(rejection),
      request,
      isOfApiKey: RequestContext.find(request)?.apiKeyHeader !== undefined,
    });
  }
}

function isOutage(failure: unknown): failure is Error {
  if (failure instanceof TenantRejectedError) return failure.reason === 'tenant_unavailable';
  return failure instanceof AuthorizationServerUnavailableError;
}

/**
 * Returns the issuer of a server that is known and unavailable. Of a known caller, its own issuer is told: what is unavailable then
 * has not verified the token.
 */
function unavailableIssuer(failure: unknown): string | undefined {
  if (!(failure instanceof AuthorizationServerUnavailableError)) return undefined;
  return failure.missing === 'authorization server' ? undefined : failure.issuer;
}

function isOfCredentials(failure: unknown): failure is CredentialsRejectedError | TokenRejectedError {
  return failure instanceof CredentialsRejectedError || failure instanceof TokenRejectedError;
}

/** Returns the secrets of a request to redact: verifiers of the application may put them into messages. */
function secretsOf({ request }: Rejection): readonly string[] {
  if (!request || !('headers' in request)) return [];
  return presentedSecrets(request as CredentialRequest, RequestContext.find(request)?.apiKeyHeader);
}

/** Returns a known reason, else `inactive`: a verifier may have set another reason to data of the token. */
function reasonOf(failure: unknown): RejectionReason {
  return rejectionReason(failure) ?? 'inactive';
}
