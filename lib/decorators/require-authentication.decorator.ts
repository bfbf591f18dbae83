import { McpAuthConfigError } from '../errors/config.error.js';
import { REQUIRED_AUTHENTICATION } from '../mcp-auth.constants.js';
import {
  authenticationProblems,
  type AuthenticationRequirement,
  needOf,
} from '../mcp/authentication-requirement.js';
import type { AuthenticationNeed } from '../policy/user-authentication.js';
import { coverWithGuard } from './cover-with-guard.js';

/**
 * Requires that the user has authenticated strongly or recently enough, for an MCP tool, prompt or resource, or for an HTTP
 * route.
 *
 * Requirements add up: those of the handler, of its class and the classes that this one extends, and of methods that the
 * handler overrides. The token's `acr` must satisfy each of them, and the smallest maximum age counts. If no `acr` satisfies
 * all of them, the application does not start.
 *
 * A call that does not satisfy them is rejected with HTTP 401 and `error="insufficient_user_authentication"` before any handler
 * runs, also if scopes are missing. The challenge says what is needed, so that the client can send the user to the authorization
 * server. A caller without a token gets 401 without `error`. Over stdio the call is rejected, because no user has authenticated,
 * unless the transport supplies a caller whose claims say so.
 *
 * The decorator puts {@link BearerAuthGuard} on its target. If a method overrides a decorated one and no guard covers it, the
 * application does not start.
 *
 * @example
 * ```ts
 * \@Tool({ name: 'pay', description: 'Pay an invoice' })
 * \@RequireScopes('payments:write')
 * \@RequireAuthentication({ acr: ['urn:example:phishing-resistant', 'urn:example:two-factors'], maxAgeSeconds: 300 })
 * pay() {}
 * ```
 * @throws {@link McpAuthConfigError} if nothing is required, or a member is not valid
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470 | RFC 9470}
 * @publicApi
 */
export const RequireAuthentication = (
  requirement: AuthenticationRequirement,
): ClassDecorator & MethodDecorator => {
  const problems = authenticationProblems('@RequireAuthentication()', requirement);
  if (problems.length > 0) throw new McpAuthConfigError(problems);
  const need = needOf(requirement);
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const decorated = (descriptor?.value ?? target) as object;
    const others = (Reflect.getOwnMetadata(REQUIRED_AUTHENTICATION, decorated) ??
      []) as readonly AuthenticationNeed[];
    Reflect.defineMetadata(REQUIRED_AUTHENTICATION, Object.freeze([need, ...others]), decorated);
    coverWithGuard(target, key, descriptor);
  };
};
