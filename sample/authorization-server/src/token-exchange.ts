import { createLocalJWKSet, jwtVerify, type JWTPayload } from 'jose';
import {
  type Configuration,
  errors,
  type JWKS,
  type Provider,
  type TokenEndpointGrantContext,
} from 'oidc-provider';
import type { AuthorizationServerOptions, TokenExchangeClient } from './authorization-server-options.js';
import { currentResources, resourceIndicators, scopesOf } from './resources.js';
import { publicPart } from './signing-keys.js';

/** The grant type of RFC 8693 section 2.1. */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

interface ExchangeParameters {
  readonly subject_token?: string;
  readonly subject_token_type?: string;
  readonly requested_token_type?: string;
  readonly actor_token?: string;
  readonly audience?: string;
}

type Context = TokenEndpointGrantContext<ExchangeParameters>;

/** Where the grant leaves the actor for {@link actorClaim}. */
const ACTOR = 'actor';

/**
 * Adds token exchange to oidc-provider, for access tokens that are JWTs of this server. A client exchanges only tokens that were
 * issued for its own resource, and only for resources that it may call. The person is not asked.
 */
export function addTokenExchange(provider: Provider, options: AuthorizationServerOptions, keys: JWKS): void {
  const { tokenExchangeClients = [] } = options;
  if (tokenExchangeClients.length === 0) return;
  const getKey = createLocalJWKSet(publicPart(keys));
  const parameters = [
    ...['subject_token', 'subject_token_type', 'requested_token_type', 'actor_token'],
    ...['audience', 'resource', 'scope'],
  ];
  const grant = async (ctx: Context): Promise<void> => {
    const { client, params } = ctx.oidc;
    const known = tokenExchangeClients.find(({ clientId }) => clientId === client.clientId);
    if (!known) throw new errors.UnauthorizedClient();
    const { subject_token: subjectToken } = params;
    const types = [params.subject_token_type, params.requested_token_type ?? ACCESS_TOKEN];
    if (
      subjectToken === undefined ||
      params.actor_token !== undefined ||
      types.some((type) => type !== ACCESS_TOKEN)
    )
      throw new errors.InvalidRequest('send one access token, and no actor token');
    const target = targetOf(params, known);
    const subject = await verify(subjectToken, known, { issuer: provider.issuer, getKey });
    ctx.state[ACTOR] = { sub: client.clientId, ...(subject['act'] !== undefined && { act: subject['act'] }) };
    const info = resourceIndicators(options).getResourceServerInfo(ctx, target);
    const scope = scopeFor(params['scope'], scopesOf(currentResources(options), target) ?? []);
    const token = new provider.AccessToken({
      client,
      accountId: subject.sub ?? '',
      resourceServer: new provider.ResourceServer(target, info),
      scope,
      grantId: '',
      gty: 'token_exchange',
      // Not longer than the token that it comes from.
      expiresIn: Math.min(info.accessTokenTTL ?? Infinity, remainingSeconds(subject)),
    });
    ctx.body = {
      access_token: await token.save(),
      issued_token_type: ACCESS_TOKEN,
      token_type: token.tokenType,
      expires_in: token.expiration,
      scope,
    };
  };
  provider.registerGrantType<ExchangeParameters>(TOKEN_EXCHANGE, grant, parameters);
}

/** The claim `act` of tokens that come from an exchange, by RFC 8693 section 4.1. */
export const actorClaim: NonNullable<Configuration['extraTokenClaims']> = (ctx) => {
  const act: unknown = (ctx as Context | undefined)?.state[ACTOR];
  return act === undefined ? undefined : { act };
};

function targetOf(
  { resource, audience }: { readonly resource?: unknown; readonly audience?: unknown },
  { targets }: TokenExchangeClient,
): string {
  if (audience !== undefined || typeof resource !== 'string' || !targets.includes(resource))
    throw new errors.InvalidTarget('this client may not call this resource');
  return resource;
}

async function verify(
  token: string,
  { resource }: TokenExchangeClient,
  { issuer, getKey }: { issuer: string; getKey: ReturnType<typeof createLocalJWKSet> },
): Promise<JWTPayload> {
  const rules = { issuer, audience: resource, typ: 'at+jwt', requiredClaims: ['sub', 'exp'] };
  try {
    const { payload } = await jwtVerify(token, getKey, rules);
    return payload;
  } catch {
    throw new errors.InvalidGrant('the subject token is not valid for this client');
  }
}

function scopeFor(requested: unknown, known: readonly string[]): string {
  const scopes = typeof requested === 'string' ? requested.split(' ') : known;
  const unknown = scopes.filter((scope) => !known.includes(scope));
  if (unknown.length > 0)
    throw new errors.InvalidScope('the resource does not know the requested scope', unknown.join(' '));
  return scopes.join(' ');
}

function remainingSeconds({ exp = 0 }: JWTPayload): number {
  return Math.max(1, exp - Math.floor(Date.now() / 1000));
}
