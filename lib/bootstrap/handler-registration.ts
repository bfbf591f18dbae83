import { Inject, Injectable } from '@nestjs/common';
import { McpAuthConfigError } from '../errors/config.error.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { Policy } from '../options/authorization-policy.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { ProtectedResourceRegistry } from '../resource/protected-resource.registry.js';
import { handlerProblems, statementProblems, unguardedEndpoints } from './handler-audit.js';
import type { HandlerPlan } from '../mcp/handler-plan.js';
import { HandlerScan } from './handler-scan.js';
import { type DeclaredHandler, HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { declaredBy, HandlerSources } from './handler-sources.js';
import { type NamedPolicy, Policies } from '../request/policies.js';
import { SelfMountedRoutes } from './self-mounted-routes.js';

/** All handlers that are known when an application starts. @internal */
export interface KnownHandlers {
  /** The handlers of its controllers. */
  readonly scanned: readonly HandlerPlan[];
  /** The handlers that its sources declare in addition. */
  readonly declared: readonly DeclaredHandler[];
}

/**
 * Finds the handlers of an application, and registers the scopes that they need. If one cannot be protected as it is written,
 * the application does not start.
 *
 * @internal
 */
@Injectable()
export class HandlerRegistration {
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    private readonly scan: HandlerScan,
    private readonly sources: HandlerSources,
    private readonly mounted: SelfMountedRoutes,
    private readonly handlerScopes: HandlerScopeRegistry,
    private readonly policies: Policies,
    @Inject(MCP_AUTH_OPTIONS)
    private readonly options: Pick<ResolvedMcpAuthOptions, 'undecoratedTools' | 'resources'>,
  ) {}

  /**
   * @param globalGuards - guards that cover every route: instances or classes
   * @throws {@link McpAuthConfigError} listing every problem
   */
  register(globalGuards: readonly unknown[]): KnownHandlers {
    const scanned = this.scan.handlers();
    this.assertSound(scanned, globalGuards);
    this.handlerScopes.register(declaredBy(scanned));
    const declared = this.sources.declarations();
    this.handlerScopes.registerUnguarded(declared);
    this.preparePolicies(scanned, declared);
    for (const { operation, requirements, resourceName } of scanned) {
      if (!operation) this.handlerScopes.advertise(requirements, resourceName);
    }
    return { scanned, declared };
  }

  /** @throws {@link McpAuthConfigError} for a class of policies that has no instance */
  private preparePolicies(scanned: readonly HandlerPlan[], declared: readonly DeclaredHandler[]): void {
    const { resources } = this.options;
    const named: readonly NamedPolicy[] = [
      ...resources.flatMap(({ policy }, at) => placed(`resources[${String(at)}].policy`, policy)),
      ...scanned.flatMap(({ where, policies }) => placed(where, policies)),
      ...declared.flatMap(({ kind, name, policies }) =>
        placed(`the declaration of the ${kind} ${name}`, policies),
      ),
    ];
    const problems = this.policies.prepare(named);
    if (problems.length > 0) throw new McpAuthConfigError(problems);
  }

  private assertSound(handlers: readonly HandlerPlan[], globalGuards: readonly unknown[]): void {
    const problems = [
      ...handlerProblems(handlers, globalGuards, this.resources),
      ...statementProblems(handlers, this.options.undecoratedTools),
      ...unguardedEndpoints(this.scan.routes(), globalGuards),
      ...this.mounted.problems(),
    ];
    if (problems.length > 0) throw new McpAuthConfigError(problems);
  }
}

function placed(path: string, policies: readonly Policy[] = []): readonly NamedPolicy[] {
  return policies.map((policy) => ({ path, policy }));
}
