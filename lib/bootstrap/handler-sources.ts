import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { type ConfigProblem, McpAuthConfigError } from '../errors/config.error.js';
import { ProtectedResourceRegistry } from '../resource/protected-resource.registry.js';
import { declarationProblems } from './declaration-problems.js';
import { isBearerAuthGuard } from '../guard/is-bearer-auth-guard.js';
import { mustNameOpened } from './handler-audit.js';
import type { HandlerPlan } from '../mcp/handler-plan.js';
import type { DeclaredHandler } from '../mcp/handler-scope.registry.js';
import { hintsOf } from '../mcp/operation-needs.js';
import { needOf } from '../mcp/authentication-requirement.js';
import { McpHandlerSource } from '../mcp/handler-source.js';

/** Returns the declarations of the decorators on handlers of @rekog/mcp-nest. @internal */
export function declaredBy(handlers: readonly HandlerPlan[]): readonly DeclaredHandler[] {
  return handlers.flatMap(
    ({
      operation,
      requirements,
      authentication,
      policies,
      annotations,
      resourceName,
      server,
      guards,
      allowsAnonymous,
    }) =>
      operation
        ? [
            {
              ...operation,
              requirements,
              authentication,
              policies,
              annotations,
              resource: resourceName,
              server,
              isGuarded: guards.some(isBearerAuthGuard),
              allowAnonymous: allowsAnonymous,
            },
          ]
        : [],
  );
}

/** Finds the application's own {@link McpHandlerSource}s among its providers. @internal */
@Injectable()
export class HandlerSources {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly resources: ProtectedResourceRegistry,
  ) {}

  /**
   * Returns the declarations of all sources.
   *
   * @throws {@link McpAuthConfigError} listing every problem and its source
   */
  declarations(): readonly DeclaredHandler[] {
    const problems: ConfigProblem[] = [];
    const resources = this.resources
      .all()
      .flatMap(({ options: { name, resource } }) => [name ?? [], resource].flat());
    const declared = [...this.sources(problems)].flatMap((source) => {
      const given = source.declarations();
      const where = `${source.constructor.name}.declarations()`;
      const found = declarationProblems(where, given, resources, mustNameOpened(this.resources));
      problems.push(...found);
      if (found.length > 0) return [];
      return given.map(({ authentication, policies = [], annotations, ...each }) => ({
        ...each,
        requirements: [...each.requirements],
        authentication: authentication && needOf(authentication),
        policies: policies.length > 0 ? [...new Set(policies)] : undefined,
        annotations: hintsOf(annotations),
      }));
    });
    if (problems.length > 0) throw new McpAuthConfigError(problems);
    return declared;
  }

  /** Returns each source once, even if it is provided by several names. */
  private sources(problems: ConfigProblem[]): ReadonlySet<McpHandlerSource> {
    const found = new Set<McpHandlerSource>();
    for (const wrapper of this.discovery.getProviders()) {
      const instance: unknown = wrapper.instance;
      if (!(instance instanceof McpHandlerSource)) continue;
      // For others, Nest has no instance at bootstrap, only an empty object.
      if (wrapper.isDependencyTreeStatic() && !wrapper.isTransient) found.add(instance);
      else problems.push({ path: instance.constructor.name, message: NOT_STATIC });
    }
    return found;
  }
}

const NOT_STATIC =
  'is request-scoped or transient, but a source is asked once, at bootstrap; give it the default scope, and no request-scoped dependencies';
