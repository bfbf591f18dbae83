import {
  AuthorizationServerUnavailableError,
  CredentialsRefusedError,
  InsufficientScopeError,
  RequestOriginRefusedError,
  TokenRefusedError,
} from '../errors/refusal.errors.js';
import { isScopeToken } from '../options/check.decorator.js';
import { bearerChallenge } from './www-authenticate.js';

/** The body of a refusal, in the form of RFC 6750 and RFC 6749. @publicApi */
export interface RefusalBody {
  readonly error: string;
  readonly error_description: string;
}

/** A refusal as it goes over the wire. @internal */
export interface RefusalResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RefusalBody;
}

/** What a challenge says of the resource. @internal */
export interface ChallengedResource {
  readonly metadataUrl: string;
  readonly requiredScopes: readonly string[];
}

const NO_STORE = { 'Cache-Control': 'no-store' };

/** How long a client should wait before it asks again, in seconds. */
const RETRY_AFTER_SECONDS = 5;

/**
 * The one table from a decision to status, headers and body. Nothing of the request goes into it, so the
 * same decision always gives the same bytes.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @internal
 */
export function refusalResponse(failure: unknown, resource: ChallengedResource): RefusalResponse {
  if (failure instanceof CredentialsRefusedError) return credentialsResponse(failure, resource);
  if (failure instanceof TokenRefusedError) {
    return challenged(401, resource, {
      error: 'invalid_token',
      scopes: resource.requiredScopes,
      description: 'The access token is invalid or expired',
    });
  }
  if (failure instanceof InsufficientScopeError) {
    return challenged(403, resource, {
      error: 'insufficient_scope',
      // A verifier of the application may throw this too, with whatever a token says.
      scopes: failure.scopes.filter((scope) => isScopeToken(scope) === undefined),
      description: 'The access token does not grant what this operation needs',
    });
  }
  if (failure instanceof RequestOriginRefusedError) return originResponse(failure);
  return faultResponse(failure);
}

/** No challenge: whatever token a client got, the answer would stay. */
function originResponse({ reason }: RequestOriginRefusedError): RefusalResponse {
  return {
    status: 403,
    headers: NO_STORE,
    body: {
      error: `forbidden_${reason}`,
      error_description: `The request's ${reason === 'origin' ? 'Origin' : 'Host'} is not allowed here`,
    },
  };
}

function credentialsResponse(
  { reason }: CredentialsRefusedError,
  resource: ChallengedResource,
): RefusalResponse {
  if (reason === 'multiple_credentials') {
    const description = 'The request carries more than one credential';
    return challenged(400, resource, { error: 'invalid_request', scopes: [], description });
  }
  // RFC 6750 section 3.1: no error code where no credentials were sent. The body may say more.
  const challenge = bearerChallenge({
    scopes: resource.requiredScopes,
    resourceMetadata: resource.metadataUrl,
  });
  return {
    status: 401,
    headers: { 'WWW-Authenticate': challenge, ...NO_STORE },
    body: { error: 'missing_token', error_description: 'Send an access token: Authorization: Bearer TOKEN' },
  };
}

function challenged(
  status: number,
  { metadataUrl }: ChallengedResource,
  { error, scopes, description }: { error: string; scopes: readonly string[]; description: string },
): RefusalResponse {
  const challenge = bearerChallenge({ error, scopes, resourceMetadata: metadataUrl, description });
  return {
    status,
    headers: { 'WWW-Authenticate': challenge, ...NO_STORE },
    body: { error, error_description: description },
  };
}

/** A fault that is not the client's has no challenge: a client would throw a good token away. */
function faultResponse(failure: unknown): RefusalResponse {
  if (failure instanceof AuthorizationServerUnavailableError) {
    return {
      status: 503,
      headers: { 'Retry-After': String(RETRY_AFTER_SECONDS), ...NO_STORE },
      body: {
        error: 'temporarily_unavailable',
        error_description: 'The access token cannot be checked at the moment; try again later',
      },
    };
  }
  return {
    status: 500,
    headers: NO_STORE,
    body: { error: 'server_error', error_description: 'The access token could not be checked' },
  };
}
