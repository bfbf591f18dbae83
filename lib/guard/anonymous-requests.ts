import { Inject, Injectable } from '@nestjs/common';
import { CredentialsRejectedError, MessageRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import { isOpenBody } from '../mcp/anonymous-messages.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { assertBounded, operationsOf } from '../mcp/operations.js';
import { choicesWithoutCaller, type ScopeRequirement } from '../mcp/scope-requirement.js';
import { hasUnreadMessage } from '../mcp/unread-body.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { hasContent } from '../platform/node-message.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { isAtResource } from '../resource/resource-endpoint.js';
import { SessionBinding } from '../response/session-binding.js';
import { namesEventStream, SESSION_ID } from '../response/session-id.js';
import type { CredentialRequest } from '../token/credential-sources.js';

/** The part of a platform's request that is read. */
interface AnonymousRequest extends CredentialRequest {
  readonly method?: string | undefined;
  readonly baseUrl?: string | undefined;
  readonly body?: unknown;
}

/**
 * Decides on requests without a token at a resource with `anonymousMethods`: only what that option opens may pass.
 *
 * @internal
 */
@Injectable()
export class AnonymousRequests {
  constructor(
    private readonly handlerScopes: HandlerScopeRegistry,
    private readonly scopes: ScopePolicy,
    private readonly sessions: SessionBinding,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'maxOperations'>,
  ) {}

  /**
   * Throws unless the request may be served without a token.
   *
   * @param requirements - what the route needs; for the challenge
   * @throws {@link CredentialsRejectedError} naming all scopes that the request needs, so that one consent is enough
   * @throws {@link MessageRejectedError} for a stream without a session, and for a body with too many operations
   */
  assertOpen(
    request: AnonymousRequest,
    resource: ProtectedResource,
    requirements: readonly ScopeRequirement[],
  ): void {
    const operations = request.body === undefined ? [] : operationsOf(request.body);
    assertBounded(operations, this.options.maxOperations);
    if (this.isOpen(request, resource)) return;
    if (isStreamOfClient(request, resource)) throw new MessageRejectedError('no_stream');
    const needed = operations.flatMap((operation) => this.handlerScopes.requirementsOf(operation));
    const choices = choicesWithoutCaller([...requirements, ...needed]);
    throw new CredentialsRejectedError('missing_token', this.scopes.anonymousChallenge(resource, choices));
  }

  private isOpen(request: AnonymousRequest, resource: ProtectedResource): boolean {
    const { method, body } = request;
    const { anonymousMethods: methods } = resource.options;
    if (methods.length === 0 || !isAtResource(request, resource)) return false;
    if (method === 'POST') {
      const isOpen = (operation: Parameters<HandlerScopeRegistry['allowsAnonymous']>[0]): boolean =>
        this.handlerScopes.allowsAnonymous(operation, resource);
      const takesResponses = (): boolean => this.isOfSession(request, resource);
      return !hasUnreadMessage(request) && isOpenBody(body, { methods, isOpen, takesResponses });
    }
    const isOfTransport = method === 'DELETE' || (method === 'GET' && namesEventStream(request));
    return isOfTransport && !hasContent(request) && this.isOfSession(request, resource);
  }

  /** Whether a request names a session that was opened without a token, and that no caller with a token has taken over. */
  private isOfSession(request: AnonymousRequest, resource: ProtectedResource): boolean {
    const id = request.headers[SESSION_ID];
    return typeof id === 'string' && id !== '' && this.sessions.isAnonymous(request, resource, id);
  }
}

/**
 * Whether an MCP client requests a stream outside of a session, as clients do after `notifications/initialized`. A 401 would
 * let them sign in at once. Only MCP clients send the header of the protocol version.
 */
function isStreamOfClient(request: AnonymousRequest, resource: ProtectedResource): boolean {
  const { method, headers } = request;
  return (
    resource.options.anonymousMethods.length > 0 &&
    isAtResource(request, resource) &&
    method === 'GET' &&
    !hasContent(request) &&
    (headers[SESSION_ID] ?? '') === '' &&
    headers['mcp-protocol-version'] !== undefined &&
    namesEventStream(request)
  );
}
