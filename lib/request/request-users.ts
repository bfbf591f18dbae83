import { Inject, Injectable } from '@nestjs/common';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { VerifiedCaller } from '../options/request-user-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';

/**
 * Makes the second form of a caller that the option `requestUser` asks for.
 *
 * @internal
 */
@Injectable()
export class RequestUsers {
  /** The property of requests that has it; undefined without the option. */
  readonly property: string | undefined;
  private readonly toUser: (caller: VerifiedCaller) => unknown;

  constructor(@Inject(MCP_AUTH_OPTIONS) { requestUser }: Pick<ResolvedMcpAuthOptions, 'requestUser'>) {
    this.property = requestUser?.property;
    const toUser = requestUser?.toUser;
    // A copy has no token: the caller's own is not enumerable.
    this.toUser = toUser ? (caller) => toUser({ ...caller }) : claimsAndScopes;
  }

  /** @throws what the application's function throws, and a `TypeError` if it returns a promise */
  of(caller: VerifiedCaller): unknown {
    const user = this.toUser(caller);
    if (typeof (user as { then?: unknown } | null | undefined)?.then === 'function')
      throw new TypeError('The option "requestUser.toUser" must not return a promise');
    return user;
  }
}

/** Claims may name scopes in several ways; both usual names have those that the token was found to grant. */
function claimsAndScopes({ claims, scopes }: VerifiedCaller): object {
  return { ...claims, scope: scopes.join(' '), scopes: [...scopes] };
}
