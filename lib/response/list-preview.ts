import { Inject, Injectable } from '@nestjs/common';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { NamedOperation } from '../mcp/handler-resources.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import type { OperationNeed } from '../mcp/operation-needs.js';
import { HANDLER_METHODS, type McpOperationKind, NO_ARGUMENTS } from '../mcp/operations.js';
import { choicesWithoutCaller } from '../mcp/scope-requirement.js';
import { hasUnreadMessage } from '../mcp/unread-body.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { nodeRequestOf } from '../platform/node-message.js';
import { ScopePolicy } from '../policy/scope-policy.js';
import { Policies } from '../request/policies.js';
import type { PolicyQuestion } from '../request/policy-decision.js';
import { RequestContext } from '../request/request-context.js';
import type { AuthorizedRequest } from '../request/response-state.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { allListedKinds, listedKinds } from './list-entries.js';
import { namesEventStream } from './session-id.js';

/**
 * Lets policies decide which entries of a list the caller may see, with `listPolicy: 'hide'`. Lists are rewritten while they are
 * sent, when nothing can be awaited, so policies decide before the handler runs: on each handler of the kinds that may be
 * listed, without arguments.
 *
 * @internal
 */
@Injectable()
export class ListPreview {
  constructor(
    private readonly policies: Policies,
    private readonly handlers: HandlerScopeRegistry,
    private readonly scopes: ScopePolicy,
    @Inject(MCP_AUTH_OPTIONS) private readonly options: Pick<ResolvedMcpAuthOptions, 'listPolicy'>,
  ) {}

  /** @returns a promise only if a policy returns one */
  prepare(context: RequestContext, authorized: AuthorizedRequest): Promise<void> | undefined {
    const { authentication, authorization } = context;
    if (this.options.listPolicy !== 'hide' || !authentication) return undefined;
    const kinds = [...kindsIn(authorized)].filter((kind) => !authorization.listed.has(kind));
    if (kinds.length === 0) return undefined;
    const entries = kinds.flatMap((kind) => this.entriesOf(kind, authorized));
    const record = (answers: readonly boolean[]): void => {
      const allowed = entries.filter((_, at) => answers[at]);
      for (const kind of kinds) {
        const names = allowed.filter((entry) => entry.kind === kind).map(({ name }) => name);
        authorization.listed.set(kind, new Set(names));
      }
    };
    const answers = this.policies.allowed(
      entries.map(({ question }) => question),
      authentication,
      authorization,
    );
    if (answers instanceof Promise) return answers.then(record);
    record(answers);
    return undefined;
  }

  /** Whether policies allow the caller to see an entry of a list. Of an undeclared one, the policy of a resource knows nothing. */
  isAllowed(listed: NamedOperation, { request, resource }: AuthorizedRequest): boolean {
    if (!this.policies.isUsed) return true;
    const handlers = this.handlers.handlersOf(listed);
    if (handlers.length === 0) return resource.options.policy === undefined;
    const allowed = RequestContext.find(request)?.authorization.listed.get(listed.kind);
    return handlers.every(
      (handler) => policiesOn(handler, resource).length === 0 || allowed?.has(handler.name) === true,
    );
  }

  /** Returns the handlers that have policies, except those whose scopes the caller lacks. */
  private entriesOf(
    kind: McpOperationKind,
    { auth, resource }: AuthorizedRequest,
  ): readonly { kind: McpOperationKind; name: string; question: PolicyQuestion }[] {
    return this.handlers.handlersOfKind(kind).flatMap((handler) => {
      const policies = policiesOn(handler, resource);
      const { name, requirements, annotations } = handler;
      if (policies.length === 0 || !auth || !this.handlers.belongsTo({ kind, name }, resource)) return [];
      if (!this.scopes.isSatisfied(auth, resource, choicesWithoutCaller(requirements))) return [];
      const call = { kind, name, method: HANDLER_METHODS[kind], arguments: NO_ARGUMENTS, annotations };
      return [{ kind, name, question: { policies, call } }];
    });
  }
}

function policiesOn(handler: OperationNeed, { options }: ProtectedResource): PolicyQuestion['policies'] {
  return [...(options.policy ?? []), ...(handler.policies ?? [])];
}

/** Returns the kinds of lists that the answer may contain. An event stream may repeat messages of other requests. */
function kindsIn({ request, body }: AuthorizedRequest): ReadonlySet<McpOperationKind> {
  const isUnread = (): boolean =>
    hasUnreadMessage({ headers: request.headers, body, raw: nodeRequestOf(request) });
  const isStream = request.method === 'GET' && namesEventStream(request);
  return isStream || isUnread() ? allListedKinds() : listedKinds(body);
}
