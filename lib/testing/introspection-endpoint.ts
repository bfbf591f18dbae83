import { errorAnswer, jsonAnswer } from './answers.js';
import { authenticationError, type ClientRules } from './client-authentication.js';
import type {
  Answer,
  TestAuthorizationServerOptions,
  TestRequest,
} from './test-authorization-server.interface.js';
import type { TokenLedger } from './token-ledger.js';

const JWT_ANSWER = 'application/token-introspection+jwt';

/** The state of the server that introspection and revocation use. @internal */
export interface TokenEndpointContext extends ClientRules {
  readonly issuer: string;
  readonly ledger: TokenLedger;
  readonly form: NonNullable<TestAuthorizationServerOptions['introspectionResponse']>;
  /** Signs with the server's key. */
  readonly sign: (claims: object, typ: string) => Promise<string>;
}

/**
 * Returns the introspection response for a token, as JSON or as a signed JWT. Does not check whether the token is
 * meant for the client that introspects it.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2 | RFC 7662 section 2}
 * @internal
 */
export async function introspect(request: TestRequest, context: TokenEndpointContext): Promise<Answer> {
  const token = await tokenAskedFor(request, context);
  if (typeof token !== 'string') return token;
  const description = context.ledger.describe(token, context.now());
  if (!wantsJwt(request, context)) return jsonAnswer(description, 200, { 'cache-control': 'no-store' });
  const claims = {
    iss: context.issuer,
    aud: context.client.clientId,
    iat: Math.floor(context.now().getTime() / 1000),
    token_introspection: description,
  };
  const body = await context.sign(claims, 'token-introspection+jwt');
  return { status: 200, headers: { 'content-type': JWT_ANSWER, 'cache-control': 'no-store' }, body };
}

/**
 * Makes a token inactive. Does not check which client owns it. An unknown token is not an error.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc7009#section-2 | RFC 7009 section 2}
 * @internal
 */
export async function revoke(request: TestRequest, context: TokenEndpointContext): Promise<Answer> {
  const token = await tokenAskedFor(request, context);
  if (typeof token !== 'string') return token;
  context.ledger.revoke(token);
  return { status: 200, headers: {}, body: '' };
}

/** Returns the token, or the error response if the request is invalid or not from the client. */
async function tokenAskedFor(
  { method, headers, body }: TestRequest,
  context: TokenEndpointContext,
): Promise<string | Answer> {
  if (method !== 'POST') return errorAnswer(405, 'invalid_request', 'Only POST', { allow: 'POST' });
  if (!/^application\/x-www-form-urlencoded\b/i.test(headers['content-type'] ?? '')) {
    return errorAnswer(400, 'invalid_request', 'The body is not application/x-www-form-urlencoded');
  }
  const form = new URLSearchParams(body);
  const error = await authenticationError({ headers, form }, context);
  if (error === 'invalid_request') return errorAnswer(400, error, 'More than one client authentication');
  if (error === 'invalid_client') {
    const challenge = { 'www-authenticate': `Basic realm="${context.issuer}"` };
    return errorAnswer(401, error, 'Client authentication is missing or wrong', challenge);
  }
  return form.get('token') ?? errorAnswer(400, 'invalid_request', 'There is no token');
}

function wantsJwt({ headers }: TestRequest, { form }: TokenEndpointContext): boolean {
  return form === 'jwt' || (form === 'accept' && (headers.accept ?? '').includes(JWT_ANSWER));
}
