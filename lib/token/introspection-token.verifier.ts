import { setMaxListeners } from 'node:events';
import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { IssuerKeysRegistry } from '../authorization-server/issuer-keys.registry.js';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import { OperatorLogger } from '../events/operator.logger.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { IntrospectionAuthMethod } from '../options/introspection-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { untilAborted } from '../platform/deadline.js';
import { IntrospectionEndpoint, type IntrospectionState } from './introspection-endpoint.js';
import { IntrospectionFailure } from './introspection-failure.js';
import { type IntrospectionAnswer, toClaims } from './introspection-response.js';
import { assertSigningKeys } from './signing-keys.js';
import { type VerificationContext, VerifiedToken } from '../options/token.verifier.js';

/** Further advice by method: HTTP Basic percent-encodes id and secret (RFC 6749 section 2.3.1). */
const WAY_OUT: Readonly<Partial<Record<IntrospectionAuthMethod, string>>> = {
  client_secret_basic:
    '. If they are right, the server may not decode the percent-encoding of HTTP Basic: ' +
    'set "authMethod" to "client_secret_post"',
};

/**
 * Verifies access tokens by introspection at the authorization server that issued them.
 *
 * An active token may be for another resource. Audience, time, scopes and the other claims are validated afterwards, as
 * for a JWT.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662 | RFC 7662}
 * @internal
 */
@Injectable()
export class IntrospectionTokenVerifier implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new OperatorLogger();
  /** Weak, because servers that became known at run time are evicted. */
  private readonly endpoints = new WeakMap<TrustedAuthorizationServer, IntrospectionEndpoint>();
  private readonly shutdown = new AbortController();

  constructor(
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
    private readonly issuerKeys: IssuerKeysRegistry,
  ) {
    // Each pending request listens.
    setMaxListeners(0, this.shutdown.signal);
  }

  /** @throws {@link McpAuthConfigError} for keys that cannot sign a request */
  async onModuleInit(): Promise<void> {
    await assertSigningKeys(this.options.resources, 'introspection');
  }

  /**
   * Verifies a token by introspection. If the response is cached, it returns at once.
   *
   * @param token - the token as received
   * @param server - the only server that it can belong to
   * @param wait - its `signal` ends the wait, not the request: other callers may wait for the same response
   * @returns the claims in the response, or null if the token is not active
   * @throws {@link TokenRejectedError} if the token does not match the server's pattern, so that no request is sent; or if
   * the response names another issuer, or the token needs a proof of possession
   * @throws {@link AuthorizationServerUnavailableError} if there is no usable response
   */
  verify(
    token: string,
    server: TrustedAuthorizationServer,
    wait: Pick<VerificationContext, 'signal'>,
  ): VerifiedToken | null | Promise<VerifiedToken | null> {
    assertPattern(token, server);
    const answer = this.endpointOf(server).ask(token);
    return answer instanceof Promise ? verifyLater(answer, server, wait.signal) : verified(answer, server);
  }

  /**
   * As {@link verify}, but only with a cached response.
   *
   * @returns undefined if a request would be needed
   */
  verifyKnown(token: string, server: TrustedAuthorizationServer): VerifiedToken | null | undefined {
    assertPattern(token, server);
    const answer = this.endpoints.get(server)?.peek(token);
    return answer === undefined ? undefined : verified(answer, server);
  }

  /** Returns what introspection at a server does; undefined before the first token. */
  stateOf(server: TrustedAuthorizationServer): IntrospectionState | undefined {
    return this.endpoints.get(server)?.state();
  }

  /** Ends pending requests, once all client requests are answered, so that they do not keep the process alive. */
  onApplicationShutdown(): void {
    this.shutdown.abort(new Error('The application has ended'));
  }

  private endpointOf(server: TrustedAuthorizationServer): IntrospectionEndpoint {
    const known = this.endpoints.get(server);
    if (known) return known;
    const { introspection } = server.options;
    if (!introspection) throw new TypeError(`${server.issuer} is not configured for introspection`);
    const endpoint = new IntrospectionEndpoint(server, introspection, {
      ...this.options,
      keys: introspection.requireSignedResponse ? this.issuerKeys.of(server) : undefined,
      shutdown: this.shutdown.signal,
      onCredentialsRejected: (status) => {
        const { clientId, authMethod } = introspection;
        const fix = `check "clientId" and the credentials of the option "introspection"${WAY_OUT[authMethod] ?? ''}`;
        this.logger.error(
          `${server.issuer} answers ${String(status)} to introspection by the client "${clientId}" with ${authMethod}; ${fix}`,
        );
      },
    });
    this.endpoints.set(server, endpoint);
    return endpoint;
  }
}

function assertPattern(token: string, { options }: TrustedAuthorizationServer): void {
  if (options.introspection?.opaqueTokenPattern?.test(token) === false)
    throw new TokenRejectedError('malformed');
}

async function verifyLater(
  pending: Promise<IntrospectionAnswer>,
  server: TrustedAuthorizationServer,
  signal: AbortSignal,
): Promise<VerifiedToken | null> {
  const answer = await untilAborted(signal, pending).catch((error: unknown) => {
    if (error instanceof AuthorizationServerUnavailableError || !signal.aborted) throw error;
    const cause = new IntrospectionFailure('the application has stopped waiting for the answer');
    throw new AuthorizationServerUnavailableError(server.issuer, 'introspection', { cause });
  });
  return verified(answer, server);
}

function verified(
  answer: IntrospectionAnswer,
  { issuer, options: { introspection, claimNames } }: TrustedAuthorizationServer,
): VerifiedToken | null {
  if (answer === null) return null;
  return new VerifiedToken(toClaims(answer, issuer), {
    requiresExpiry: introspection?.requireExpiry === true,
    audienceVerified: introspection?.trustAnswerWithoutAudience === true,
    claimNames,
  });
}
