import type { HandlerPlan } from '../mcp/handler-plan.js';
import type { AccessDecorator } from '../platform/mcp-nest.js';

/** The section that says what decides first. */
const PAGE = 'see GUIDE.md#code-that-reads-requser';

/** A handler with decorators of @rekog/mcp-nest that decide on access. @internal */
export interface DecoratedHandler extends Pick<HandlerPlan, 'where' | 'allowsAnonymous'> {
  readonly decorators: readonly AccessDecorator[];
}

/**
 * Warns of decorators of @rekog/mcp-nest that decide on access beside the guard, and says which of the two decides.
 *
 * @param property - the property of requests that has the caller, by the option `requestUser`
 * @internal
 */
export function mcpNestWarnings(
  handlers: readonly DecoratedHandler[],
  property: string | undefined,
): readonly string[] {
  const having = (...wanted: readonly AccessDecorator[]): readonly DecoratedHandler[] =>
    handlers.filter(({ decorators }) => decorators.some((each) => wanted.includes(each)));
  const readers = having('@ToolScopes()', '@ToolRoles()');
  const closed = having('@PublicTool()').filter(({ allowsAnonymous }) => !allowsAnonymous);
  return [...told(readers, property === 'user' ? BOTH_DECIDE : NO_USER), ...told(closed, NOT_PUBLIC)];
}

const NO_USER =
  'have @ToolScopes() or @ToolRoles() of @rekog/mcp-nest, which read req.user, and BearerAuthGuard does not set it; unless ' +
  'the application does, these tools are in no list and cannot be called. Use @RequireScopes(), or set "requestUser"';

const BOTH_DECIDE =
  'have @ToolScopes() or @ToolRoles() of @rekog/mcp-nest; BearerAuthGuard decides first, then @rekog/mcp-nest. Its lists leave ' +
  'out what it would reject, and its rejections start no step-up. For scopes, use @RequireScopes()';

const NOT_PUBLIC =
  'have @PublicTool() of @rekog/mcp-nest, which lets nobody past BearerAuthGuard; use @AllowAnonymous() and the option ' +
  '"anonymousMethods" to open them, or leave @PublicTool() out';

function told(handlers: readonly DecoratedHandler[], message: string): readonly string[] {
  if (handlers.length === 0) return [];
  return [`${handlers.map(({ where }) => where).join(', ')}: ${message}; ${PAGE}`];
}
