import { McpAuthConfigError } from '../errors/config.error.js';
import { REQUIRED_POLICIES } from '../mcp-auth.constants.js';
import { isPolicy, type Policy } from '../options/authorization-policy.js';
import { coverWithGuard } from './cover-with-guard.js';

/**
 * Names policies that say whether a caller may call an MCP tool, prompt, resource or HTTP route. Use it
 * for what no scope expresses, such as roles, owners, or times of day.
 *
 * Policies add up: those of the handler, of its class and the classes that this one extends, of methods that the handler
 * overrides, and of the protected resource. All of them must return `true`. Scopes and `@RequireAuthentication()` are checked
 * first. A caller without a token gets 401.
 *
 * A call that is denied is rejected with HTTP 403 and `access_denied` before any handler runs. There is no challenge, because no
 * other token helps.
 *
 * The decorator puts {@link BearerAuthGuard} on its target. If a method overrides a decorated one and no guard covers it, the
 * application does not start. It does not start either if a class is not a provider in the default scope.
 *
 * @example
 * ```ts
 * \@Tool({ name: 'purge', description: 'Delete every note' })
 * \@RequireScopes('notes:write')
 * \@RequirePolicy(OnlyAdmins, (call, auth) => auth.claims['department'] === call.arguments['department'])
 * purge() {}
 * ```
 * @throws {@link McpAuthConfigError} if there is no argument, or one is neither a class with `decide` nor a function
 * @publicApi
 */
export const RequirePolicy = (...policies: [Policy, ...Policy[]]): ClassDecorator & MethodDecorator => {
  const problems = policies.flatMap((policy, index) => {
    const message = isPolicy(policy);
    return message === undefined ? [] : [{ path: `@RequirePolicy() argument ${String(index)}`, message }];
  });
  if ((policies as readonly unknown[]).length === 0)
    problems.push({ path: '@RequirePolicy()', message: 'must name at least one policy' });
  if (problems.length > 0) throw new McpAuthConfigError(problems);
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const decorated = (descriptor?.value ?? target) as object;
    const others = (Reflect.getOwnMetadata(REQUIRED_POLICIES, decorated) ?? []) as readonly Policy[];
    Reflect.defineMetadata(REQUIRED_POLICIES, Object.freeze([...policies, ...others]), decorated);
    coverWithGuard(target, key, descriptor);
  };
};
