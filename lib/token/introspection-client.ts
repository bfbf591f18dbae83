import { type CryptoKey, importJWK, type JWK } from 'jose';
import {
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  modifyAssertion,
  None,
  PrivateKeyJwt,
} from 'oauth4webapi';
import { SIGNATURE_ALGORITHMS } from '../options/algorithms.js';
import type { ResolvedIntrospectionOptions } from '../options/trusted-authorization-server.interface.js';
import { untilAborted } from '../platform/deadline.js';
import { IntrospectionFailure } from './introspection-failure.js';

/** What authenticates this resource at an authorization server: for introspection, or for token exchange. @internal */
export type ClientCredentials = Pick<
  ResolvedIntrospectionOptions,
  'authMethod' | 'clientSecret' | 'privateKey' | 'timeoutMs'
> &
  Partial<Pick<ResolvedIntrospectionOptions, 'bearerToken'>>;

/** RFC 6750 section 2.1. */
const BEARER_TOKEN = /^[\w.~+/-]+=*$/;

/**
 * Returns the client authentication for requests to an authorization server. The secret or key is in a closure, so that inspecting
 * the result does not show it.
 *
 * @throws {@link IntrospectionFailure} if the secret or the key is unavailable
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2.1 | RFC 7662 section 2.1}
 * @internal
 */
export async function clientAuthentication(options: ClientCredentials): Promise<ClientAuth> {
  if (options.authMethod === 'none') return None();
  if (options.authMethod === 'private_key_jwt') return privateKeyJwt(options.privateKey);
  if (options.authMethod === 'bearer') return bearer(options);
  const prove = options.authMethod === 'client_secret_post' ? ClientSecretPost : ClientSecretBasic;
  return prove(await secretOf(options, 'clientSecret'));
}

/** Gets the token for every request, because it expires, unlike a secret. */
function bearer(options: ClientCredentials): ClientAuth {
  return async (_server, _client, _form, headers) => {
    const token = await secretOf(options, 'bearerToken');
    if (!BEARER_TOKEN.test(token)) throw new IntrospectionFailure('the option "bearerToken" gave no token');
    headers.set('authorization', `Bearer ${token}`);
  };
}

async function secretOf(options: ClientCredentials, name: 'clientSecret' | 'bearerToken'): Promise<string> {
  let secret: unknown;
  try {
    secret = await untilAborted(AbortSignal.timeout(options.timeoutMs), options[name]?.());
  } catch (cause) {
    throw new IntrospectionFailure(`the option "${name}" threw, or took too long`, { cause });
  }
  if (typeof secret === 'string' && secret !== '') return secret;
  throw new IntrospectionFailure(`the option "${name}" gave no secret`);
}

/** @throws {@link IntrospectionFailure} if the JWK is not a private signing key @internal */
export async function privateKeyJwt(jwk: JWK | undefined): Promise<ClientAuth> {
  const { alg = '', kid } = jwk ?? {};
  if (!jwk || !SIGNATURE_ALGORITHMS.includes(alg)) {
    throw new IntrospectionFailure(`has no "alg" of ${SIGNATURE_ALGORITHMS.join(', ')}`);
  }
  try {
    const key = (await importJWK(jwk)) as CryptoKey;
    return PrivateKeyJwt(
      { key, ...(kid !== undefined && { kid }) },
      // The default writes "Ed25519" for a key whose "alg" is "EdDSA".
      { [modifyAssertion]: (header) => void (header['alg'] = alg) },
    );
  } catch {
    throw new IntrospectionFailure(`is no private key for "${alg}"`);
  }
}
