import type { IncomingHttpHeaders } from 'node:http';
import { createLocalJWKSet, errors, jwtVerify } from 'jose';
import { SIGNATURE_ALGORITHMS } from '../options/algorithms.js';
import type { TestClient, TestClientAuthMethod } from './test-authorization-server.interface.js';

const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The parts of a request that authenticate a client. @internal */
export interface ClientProof {
  readonly headers: IncomingHttpHeaders;
  readonly form: URLSearchParams;
}

/** Everything that client authentication depends on, except the proof. @internal */
export interface ClientRules {
  readonly client: TestClient;
  /** The audiences that an assertion may have: the issuer and the endpoints. */
  readonly audiences: readonly string[];
  /** The `jti` of used assertions. Authentication adds to it. */
  readonly usedAssertions: Set<string>;
  readonly now: () => Date;
}

/** Returns the methods that a client may use. @internal */
export function authMethods({
  clientSecret,
  publicJwk,
  bearerToken,
  authMethods,
}: TestClient): readonly TestClientAuthMethod[] {
  if (authMethods) return authMethods;
  return [
    ...(clientSecret === undefined ? [] : (['client_secret_basic', 'client_secret_post'] as const)),
    ...(publicJwk === undefined ? [] : (['private_key_jwt'] as const)),
    ...(bearerToken === undefined ? [] : (['bearer'] as const)),
  ];
}

/**
 * Authenticates the client of a request.
 *
 * @returns undefined if the client is authenticated, else the OAuth error: `invalid_request` for more than one proof
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3 | RFC 6749 section 2.3}
 * @internal
 */
export async function authenticationError(
  proof: ClientProof,
  rules: ClientRules,
): Promise<'invalid_client' | 'invalid_request' | undefined> {
  const [method = 'none', ...others] = methodsUsed(proof);
  if (others.length > 0) return 'invalid_request';
  const good = authMethods(rules.client).includes(method) && (await CHECKS[method](proof, rules));
  return good ? undefined : 'invalid_client';
}

function methodsUsed({ headers, form }: ClientProof): readonly TestClientAuthMethod[] {
  const { authorization } = headers;
  const scheme = /^bearer /i.test(authorization ?? '') ? 'bearer' : 'client_secret_basic';
  return [
    ...(authorization === undefined ? [] : ([scheme] as const)),
    ...(form.has('client_secret') ? (['client_secret_post'] as const) : []),
    ...(form.has('client_assertion') ? (['private_key_jwt'] as const) : []),
  ];
}

type Check = (proof: ClientProof, rules: ClientRules) => boolean | Promise<boolean>;

const CHECKS: Readonly<Record<TestClientAuthMethod, Check>> = {
  client_secret_basic: ({ headers }, { client }) => {
    const [, encoded] = /^basic +(\S+)$/i.exec(headers.authorization ?? '') ?? [];
    const [id, secret] = Buffer.from(encoded ?? '', 'base64')
      .toString()
      .split(/:(.*)/s);
    return formDecoded(id) === client.clientId && formDecoded(secret) === client.clientSecret;
  },
  client_secret_post: ({ form }, { client }) =>
    form.get('client_id') === client.clientId && form.get('client_secret') === client.clientSecret,
  private_key_jwt: ({ form }, rules) =>
    form.get('client_assertion_type') === JWT_BEARER &&
    (form.get('client_id') ?? rules.client.clientId) === rules.client.clientId &&
    isAssertion(form.get('client_assertion') ?? '', rules),
  bearer: ({ headers }, { client }) =>
    client.bearerToken !== undefined &&
    headers.authorization?.replace(/^bearer +/i, '') === client.bearerToken,
  none: ({ form }, { client }) => (form.get('client_id') ?? client.clientId) === client.clientId,
};

/** RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined. */
function formDecoded(part: string | undefined): string | undefined {
  if (part === undefined) return undefined;
  return new URLSearchParams(`part=${part.replaceAll('&', '%26')}`).get('part') ?? undefined;
}

/** Verifies an assertion by RFC 7523 section 3. Each assertion is valid only once. */
async function isAssertion(assertion: string, rules: ClientRules): Promise<boolean> {
  const { client, audiences, usedAssertions, now } = rules;
  const keys = createLocalJWKSet({ keys: client.publicJwk ? [client.publicJwk] : [] });
  try {
    const { payload } = await jwtVerify(assertion, keys, {
      issuer: client.clientId,
      subject: client.clientId,
      audience: [...audiences],
      algorithms: [...SIGNATURE_ALGORITHMS],
      requiredClaims: ['exp', 'jti'],
      currentDate: now(),
    });
    const id = String(payload.jti);
    if (usedAssertions.has(id)) return false;
    usedAssertions.add(id);
    return true;
  } catch (error) {
    if (error instanceof errors.JOSEError) return false;
    throw error;
  }
}
