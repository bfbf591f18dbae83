import { Inject, Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import type { TrustedAuthorizationServer } from '../options/trusted-authorization-server.interface.js';
import { IssuerKeysRegistry } from '../authorization-server/issuer-keys.registry.js';
import { type ConfigProblem, McpAuthConfigError } from '../errors/config.error.js';
import { AuthorizationServerUnavailableError, TokenRejectedError } from '../errors/rejection.errors.js';
import { OperatorLogger } from '../events/operator.logger.js';
import { MCP_AUTH_OPTIONS } from '../mcp-auth.constants.js';
import type { IntrospectionAuthMethod } from '../options/introspection-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { untilAborted } from '../platform/deadline.js';
import { privateKeyJwt } from './introspection-client.js';
import { IntrospectionEndpoint } from './introspection-endpoint.js';
import { IntrospectionFailure, toIntrospectionFailure } from './introspection-failure.js';
import { type IntrospectionAnswer, toClaims } from './introspection-response.js';
import { type VerificationContext, VerifiedToken } from '../options/token.verifier.js';

/** What else may be wrong, by the method: Basic has id and secret percent-encoded (RFC 6749 section 2.3.1). */
const WAY_OUT: Readonly<Partial<Record<IntrospectionAuthMethod, string>>> = {
  client_secret_basic:
    '. If they are right, the server may not decode the percent-encoding of HTTP Basic: ' +
    'set "authMethod" to "client_secret_post"',
};

/**
 * Verifies access tokens by asking the authorization server that issued them.
 *
 * That a token is active says nothing of whom it is for: audience, time, scopes and the rest of what the server says
 * is for the gate to decide on, as with a JWT.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662 | RFC 7662}
 * @internal
 */
@Injectable()
export class IntrospectionTokenVerifier implements OnModuleInit, OnApplicationShutdown {
  private readonly logger = new OperatorLogger();
  private readonly endpoints = new Map<TrustedAuthorizationServer, IntrospectionEndpoint>();
  private readonly shutdown = new AbortController();

  constructor(
    @Inject(MCP_AUTH_OPTIONS) private readonly options: ResolvedMcpAuthOptions,
    private readonly issuerKeys: IssuerKeysRegistry,
  ) {}

  /** @throws {@link McpAuthConfigError} for keys that no request could be signed with */
  async onModuleInit(): Promise<void> {
    const checks = this.options.resources.flatMap(({ authorizationServers }, at) =>
      authorizationServers.map(async ({ introspection }, index): Promise<ConfigProblem[]> => {
        if (introspection?.privateKey === undefined) return [];
        const path = `resources[${String(at)}].authorizationServers[${String(index)}].introspection.privateKey`;
        return privateKeyJwt(introspection.privateKey).then(
          () => [],
          (error: unknown) => [{ path, message: toIntrospectionFailure(error).message }],
        );
      }),
    );
    const problems = (await Promise.all(checks)).flat();
    if (problems.length > 0) throw new McpAuthConfigError(problems);
  }

  /**
   * Answers at once where the server's answer is kept.
   *
   * @param token - as the request has it
   * @param server - the one server that it can belong to
   * @param wait - its `signal` ends the wait, not the request: others may wait for the same answer
   * @returns what the server says of it, or null when it is not active
   * @throws {@link TokenRejectedError} when the token has not the form of this server's, so that it is not asked; when what
   * it says is of another issuer, or needs a proof
   * @throws {@link AuthorizationServerUnavailableError} when it says nothing that can be used
   */
  verify(
    token: string,
    server: TrustedAuthorizationServer,
    wait: Pick<VerificationContext, 'signal'>,
  ): VerifiedToken | null | Promise<VerifiedToken | null> {
    if (server.options.introspection?.opaqueTokenPattern?.test(token) === false)
      throw new TokenRejectedError('malformed');
    const answer = this.endpointOf(server).ask(token);
    return answer instanceof Promise ? verifyLater(answer, server, wait.signal) : verified(answer, server);
  }

  /** Ends requests that are under way, once all those of clients are answered: nothing keeps the process alive. */
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

async function verifyLater(
  pending: Promise<IntrospectionAnswer>,
  server: TrustedAuthorizationServer,
  signal: AbortSignal,
): Promise<VerifiedToken | null> {
  const answer = await untilAborted(signal, pending).catch((error: unknown) => {
    if (error instanceof AuthorizationServerUnavailableError || !signal.aborted) throw error;
    const cause = new IntrospectionFailure('nobody waits for the answer any more');
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
