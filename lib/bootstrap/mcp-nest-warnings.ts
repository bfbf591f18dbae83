import type { HandlerPlan } from '../mcp/handler-plan.js';
import type { AccessDecorator } from '../platform/mcp-nest.js';

/** The section that says what decides first. */
const PAGE = 'see docs/guides/existing-application.md#code-for-passport';

/** A handler with decorators of @rekog/mcp-nest that control access. @internal */
export interface DecoratedHandler extends Pick<HandlerPlan, 'where' | 'allowsAnonymous'> {
  readonly decorators: readonly AccessDecorator[];
}

/**
 * Warns of decorators of @rekog/mcp-nest that control access beside the guard, and says which of the two decides.
 *
 * @param property - the property of requests that has the caller, by the option `requestUser`
 * @param isOpen - whether a resource lets callers without a token in
 * @internal
 */
export function mcpNestWarnings(
  handlers: readonly DecoratedHandler[],
  property: string | undefined,
  isOpen: boolean,
): readonly string[] {
  const having = (...wanted: readonly AccessDecorator[]): readonly DecoratedHandler[] =>
    handlers.filter(({ decorators }) => decorators.some((each) => wanted.includes(each)));
  const readers = having('@ToolScopes()', '@ToolRoles()');
  const closed = isOpen ? [] : having('@PublicTool()').filter(({ allowsAnonymous }) => !allowsAnonymous);
  return [...told(readers, property === 'user' ? BOTH_DECIDE : NO_USER), ...told(closed, NOT_PUBLIC)];
}

const NO_USER =
  '@ToolScopes() and @ToolRoles() of @rekog/mcp-nest read req.user, which BearerAuthGuard does not set; unless the application ' +
  'does, lists leave these tools out and their calls fail. Use @RequireScopes(), or set "requestUser"';

const BOTH_DECIDE =
  '@ToolScopes() and @ToolRoles() of @rekog/mcp-nest decide after BearerAuthGuard; lists leave out what they would reject, and ' +
  'their rejections start no step-up. For scopes, use @RequireScopes()';

const NOT_PUBLIC =
  'BearerAuthGuard ignores @PublicTool() of @rekog/mcp-nest; open the tool with @AllowAnonymous() and the option ' +
  '"anonymousMethods", or leave @PublicTool() out';

function told(handlers: readonly DecoratedHandler[], message: string): readonly string[] {
  if (handlers.length === 0) return [];
  return [`${handlers.map(({ where }) => where).join(', ')}: ${message}; ${PAGE}`];
}
