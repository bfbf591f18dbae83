import { Inject, Injectable } from '@nestjs/common';
import { MCP_AUTH_OPTIONS, OFFLINE_ACCESS } from '../mcp-auth.constants.js';
import type { NamedOperation } from '../mcp/handler-resources.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { NO_ARGUMENTS } from '../mcp/operations.js';
import { choicesWithoutCaller } from '../mcp/scope-requirement.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import type { AuthorizedRequest } from '../request/response-state.js';

/** How the callers of a tool authenticate, as ChatGPT reads it. @internal */
export type SecurityScheme =
  { readonly type: 'noauth' } | { readonly type: 'oauth2'; readonly scopes?: readonly string[] };

const NO_AUTH: SecurityScheme = { type: 'noauth' };

/**
 * Tells the security schemes of tools, from their declared scopes. They are the same for all callers of a route, so lists
 * that have them may be cached as before.
 *
 * @see {@link https://developers.openai.com/plugins/build/auth | OpenAI, Authentication: triggering authentication UI}
 * @see {@link https://github.com/modelcontextprotocol/modelcontextprotocol/issues/1488 | SEP-1488, securitySchemes}
 * @internal
 */
@Injectable()
export class ToolSecurity {
  constructor(
    private readonly handlerScopes: HandlerScopeRegistry,
    private readonly scopes: ScopePolicy,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'earlyAuthentication'>,
  ) {}

  /** @param tool - its name */
  schemesOf(tool: string, authorized: AuthorizedRequest): readonly SecurityScheme[] {
    const operation = { kind: 'tool', name: tool, method: '', arguments: NO_ARGUMENTS } as const;
    const requirements = this.handlerScopes.requirementsOf(operation);
    const isOpen = !this.handlerScopes.needsCaller(operation) && this.isOpen(operation, authorized);
    const { isOptional } = this.handlerScopes.anonymousAccess(operation, authorized.resource);
    if (isOpen && !isOptional) return [NO_AUTH];
    const needed = this.scopes.needed(authorized.resource, choicesWithoutCaller(requirements));
    const scopes = needed.filter((scope) => scope !== OFFLINE_ACCESS);
    const oauth: SecurityScheme = scopes.length > 0 ? { type: 'oauth2', scopes } : { type: 'oauth2' };
    return isOpen ? [NO_AUTH, oauth] : [oauth];
  }

  /**
   * Whether what a list names runs without a token, if it has no requirements. Early authentication does not know the route, and
   * what belongs to another resource does not run at all.
   */
  isOpen(listed: NamedOperation, { resource, allowsAnonymous }: AuthorizedRequest): boolean {
    if (!this.handlerScopes.belongsTo(listed, resource)) return false;
    const { allowAnonymous, anonymousMethods } = resource.options;
    const { isGuarded, isOpen } = this.handlerScopes.anonymousAccess(listed, resource);
    if (allowAnonymous || (anonymousMethods.length > 0 && isOpen)) return true;
    return allowsAnonymous && !this.options.earlyAuthentication && !isGuarded;
  }
}
