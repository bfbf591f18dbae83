import { type ConfigProblem } from '../errors/config.error.js';
import { type HandlerPlan } from './handler-plan.js';

/**
 * Finds handlers that say two things of their scopes and, where every tool must say one, tools that say nothing.
 *
 * @param handlers - all handlers of the application
 * @param policy - the option `undecoratedTools`
 * @internal
 */
export function statementProblems(
  handlers: readonly HandlerPlan[],
  policy: 'allow' | 'deny',
): readonly ConfigProblem[] {
  return handlers.flatMap(({ where: path, operation, requirements, noFurtherScopes }) => {
    const isScoped = requirements.length > 0;
    // On a class it is for the other handlers.
    if (isScoped && noFurtherScopes === 'method') return [{ path, message: CONTRADICTORY }];
    const isSilent = operation?.kind === 'tool' && !isScoped && noFurtherScopes === undefined;
    return isSilent && policy === 'deny' ? [{ path, message: SILENT }] : [];
  });
}

const CONTRADICTORY =
  'has both @NoFurtherScopes() and @RequireScopes(), of its own or its class; keep one of them';

const SILENT =
  'is a tool that says nothing of scopes, and "undecoratedTools" is "deny"; add @RequireScopes(), or @NoFurtherScopes() ' +
  'if the scopes of the resource suffice';
