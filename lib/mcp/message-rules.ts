import { Inject, Injectable } from '@nestjs/common';
import { MessageRejectedError } from '../errors/rejection.errors.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { OriginRequest } from '../policy/header-values.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { HandlerScopeRegistry } from './handler-scope.registry.js';
import { assertHeadersAgree } from './header-agreement.js';
import { assertBounded, type McpOperation } from './operations.js';
import { hasNoBatches } from './protocol-version.js';
import { UndeclaredTools } from './undeclared-tools.js';
import { hasUnreadMessage, unreadFailure } from './unread-body.js';

/** The part of a request that is checked. */
interface MessageRequest extends OriginRequest {
  readonly body?: unknown;
}

/**
 * Rejects messages that may not be served, whatever scopes the caller has.
 *
 * @internal
 */
@Injectable()
export class MessageRules {
  constructor(
    private readonly handlerScopes: HandlerScopeRegistry,
    private readonly undeclared: UndeclaredTools,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'maxOperations'>,
  ) {}

  /**
   * Rejects a body that is not parsed, if no later check authorizes it.
   *
   * @throws {@link MessageRejectedError}; an error if the application has no parser for the body
   */
  assertRead(request: MessageRequest, { options }: ProtectedResource): void {
    const isNeeded = this.handlerScopes.needsBodies || options.policy !== undefined;
    if (isNeeded && hasUnreadMessage(request)) throw unreadFailure(request);
  }

  /** @throws {@link MessageRejectedError} for a batch that its protocol version forbids, or headers that contradict the body */
  assertForm(request: MessageRequest): void {
    const { headers, body } = request;
    if (Array.isArray(body) && hasNoBatches(headers['mcp-protocol-version']))
      throw new MessageRejectedError('batch');
    if (body !== undefined && this.handlerScopes.decides) assertHeadersAgree(request, body);
  }

  /**
   * Rejects operations that no handler may serve at a resource.
   *
   * @throws {@link MessageRejectedError} for an operation that is not declared, belongs to another resource, or is one too many
   */
  assertServed(resource: ProtectedResource, operations: readonly McpOperation[]): void {
    if (operations.length === 0 || !this.handlerScopes.decides) return;
    assertBounded(operations, this.options.maxOperations);
    for (const operation of operations) {
      if (!this.handlerScopes.isDeclared(operation)) {
        this.undeclared.warn(operation.name);
        throw new MessageRejectedError('undeclared_tool');
      }
      if (!this.handlerScopes.belongsTo(operation, resource))
        throw new MessageRejectedError('other_resource');
    }
  }
}
