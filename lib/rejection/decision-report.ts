import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { rejectionReason } from '../errors/rejection-reason.js';
import {
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { describeFault, describeThrown, escapeForLog } from '../events/escape-for-log.js';
import type { EventPrincipal, RejectedEvent } from '../events/mcp-auth-event.interface.js';
import { isolate } from '../events/isolate.js';
import { McpAuthEvents } from '../events/mcp-auth-events.js';
import { RateLimitedLogger } from '../events/rate-limited-logger.js';
import { rejectedClaims } from '../policy/rejected-claims.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { UnauthorizedRequest } from '../options/mcp-auth-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { type CredentialRequest, presentedSecrets } from '../token/credential-sources.js';
import type { TokenClaims } from '../options/token.verifier.js';
import { describeAudiences, opaqueTokenAdvice } from './rejection-details.js';

/** A request that was rejected. @internal */
export interface Rejection {
  readonly failure: unknown;
  /** The HTTP status of the rejection, even if a tool result carries its challenge. */
  readonly status: number;
  /** The resource's identifier. */
  readonly resource: string;
  /** The caller whose token lacks scopes. */
  readonly auth: AuthInfo | undefined;
  /** The HTTP request, if there is one. */
  readonly request: object | undefined;
}

/** Most undeclared tools that are reported: clients choose the names. */
const MAX_UNDECLARED = 100;

/** The parts of a request that have the client's address. Express and Fastify set `ip`. */
interface SentRequest {
  readonly ip?: unknown;
  readonly socket?: { readonly remoteAddress?: unknown };
}

/**
 * Reports decisions to listeners and to the operator's log, with a common correlation id.
 *
 * Listeners get the principal of the token, never the token itself. The log gets the resource, the reason, scopes by their
 * configured names, and the audience of a token for another resource.
 *
 * @internal
 */
@Injectable()
export class DecisionReport {
  private readonly toldOfForeign = new Set<string>();
  private readonly undeclared = new Set<string>();

  constructor(
    private readonly events: McpAuthEvents,
    private readonly log: RateLimitedLogger,
    @Inject(MCP_AUTH_OPTIONS)
    private readonly options: Pick<ResolvedMcpAuthOptions, 'onUnauthorized' | 'resources'>,
  ) {}

  authenticated(auth: AuthInfo, resource: string): void {
    if (!this.events.isObserved('authenticated')) return;
    this.events.emit({
      type: 'authenticated',
      correlationId: randomUUID(),
      resource,
      ...principalOf(auth.claims, auth),
    });
  }

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

  /** Warns once for each undeclared tool that is called: its declaration is missing, or its name is mistyped. */
  undeclaredTool(name: string): void {
    const escaped = escapeForLog(name);
    if (this.undeclared.has(escaped) || this.undeclared.size >= MAX_UNDECLARED) return;
    this.undeclared.add(escaped);
    const line =
      'Denied a call of a tool that nothing declares; if it exists, declare it by a decorator or an McpHandlerSource, or ' +
      `set "undeclaredTools" to "allow": "${escaped}"`;
    this.log.write('warn', 'undeclared tool', line);
  }

  /** Reports that the option `toolChallenge` chose no form. */
  failedChoice(error: Error): void {
    const kind = 'the option "toolChallenge" chose no form, so the answer is HTTP';
    this.log.write('error', kind, kind, describeFault(error));
  }

  rejected(rejection: Rejection): void {
    const correlationId = randomUUID();
    if (rejection.failure instanceof InsufficientScopeError) {
      this.scopeDenied(correlationId, rejection.failure, rejection);
      return;
    }
    const { failure, status, resource, auth } = rejection;
    const reason = reasonOf(failure);
    this.logRejection(correlationId, reason, rejection);
    if (status === 401 && isOfCredentials(failure)) {
      this.tellApplication(reason as UnauthorizedRequest['reason'], rejection);
    }
    if (!this.events.isObserved('rejected')) return;
    const issuer = failure instanceof AuthorizationServerUnavailableError ? failure.issuer : undefined;
    const principal =
      auth && failure instanceof InsufficientAuthenticationError
        ? principalOf(auth.claims, auth)
        : principalOf(rejectedClaims(failure) ?? {}, { issuer });
    this.events.emit({ type: 'rejected', correlationId, resource, reason, status, ...principal });
  }

  private tellApplication(reason: UnauthorizedRequest['reason'], { resource, request }: Rejection): void {
    const { onUnauthorized } = this.options;
    if (!onUnauthorized) return;
    const { ip, socket } = (request ?? {}) as SentRequest;
    isolate(
      () => onUnauthorized({ remoteAddress: text(ip) ?? text(socket?.remoteAddress), resource, reason }),
      (error) => {
        const kind = 'the option "onUnauthorized" threw';
        this.log.write('error', kind, `${kind} ${describeThrown(error)}`);
      },
    );
  }

  private scopeDenied(
    correlationId: string,
    { scopes }: InsufficientScopeError,
    { resource, auth }: Rejection,
  ): void {
    this.log.write('debug', 'insufficient_scope', () => {
      const asked = scopes.map((scope) => escapeForLog(scope)).join(' ');
      return `Rejected a request for ${resource}: insufficient_scope, asked for ${asked} (${correlationId})`;
    });
    if (!this.events.isObserved('scope_denied')) return;
    this.events.emit({
      type: 'scope_denied',
      correlationId,
      resource,
      required: scopes,
      granted: auth?.scopes ?? [],
      ...principalOf(auth?.claims ?? {}, auth),
    });
  }

  private logRejection(id: string, reason: RejectedEvent['reason'], rejection: Rejection): void {
    const { failure, resource } = rejection;
    if (failure instanceof AuthorizationServerUnavailableError) {
      const secrets = secretsOf(rejection);
      const cause = failure.cause instanceof Error ? failure.cause.message : 'unknown cause';
      const detail = `${escapeForLog(failure.message, secrets)} (${escapeForLog(cause, secrets)})`;
      this.log.write('warn', `${reason} ${resource}`, `Answered 503 for ${resource}: ${detail} (${id})`);
    } else if (reason === 'fault') {
      const secrets = secretsOf(rejection);
      const line = `Answered 500 for ${resource}: ${describeThrown(failure, secrets)} (${id})`;
      this.log.write('error', `${reason} ${resource}`, line, describeFault(failure, secrets));
    } else {
      const line = (): string =>
        `Rejected a request for ${resource}: ${escapeForLog(reason)}${this.detailOf(reason, rejection)} (${id})`;
      this.log.write('debug', reason, line);
    }
  }

  /** Returns details for the operator, in addition to the reason. */
  private detailOf(reason: RejectedEvent['reason'], rejection: Rejection): string {
    const options = this.options.resources.find(({ resource }) => resource === rejection.resource);
    if (!options) return '';
    if (reason === 'audience') {
      return describeAudiences(options, rejectedClaims(rejection.failure), secretsOf(rejection));
    }
    return reason === 'malformed' ? opaqueTokenAdvice(options) : '';
  }
}

function isOfCredentials(failure: unknown): failure is CredentialsRejectedError | TokenRejectedError {
  return failure instanceof CredentialsRejectedError || failure instanceof TokenRejectedError;
}

/** Returns the secrets of a request to redact: verifiers of the application may put them into messages. */
function secretsOf({ request }: Rejection): readonly string[] {
  return request && 'headers' in request ? presentedSecrets(request as CredentialRequest) : [];
}

/** Returns a known reason, else `inactive`: a verifier may have set another reason to data of the token. */
function reasonOf(failure: unknown): RejectedEvent['reason'] {
  return (rejectionReason(failure) ?? 'inactive') as RejectedEvent['reason'];
}

function principalOf(claims: TokenClaims, known: Partial<EventPrincipal> = {}): EventPrincipal {
  return {
    issuer: known.issuer ?? text(claims['iss']),
    clientId: known.clientId ?? text(claims['client_id'] ?? claims['azp']),
    subject: known.subject ?? text(claims['sub']),
    jti: text(claims['jti']),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
