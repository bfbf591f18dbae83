import {
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
  MessageRejectedError,
  ProofRejectedError,
  RequestOriginRejectedError,
  TenantRejectedError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { isAcrValue } from '../options/value-rules.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { errorUriOf } from './error-uri.js';
import {
  FAULT,
  MESSAGES_REJECTED,
  NO_STORE,
  originAnswer,
  type RejectionAnswer,
  type RejectionHeaders,
  TENANTS_REJECTED,
  UNAVAILABLE,
} from './unchallenged-answers.js';
import {
  type BearerChallenge,
  bearerChallenge,
  type DpopChallenge,
  dpopChallenge,
  soundScopes,
} from './www-authenticate.js';

/** The options that a rejection depends on. @internal */
export type RejectionSettings = Pick<
  ResolvedMcpAuthOptions,
  'showErrorDetails' | 'errorBody' | 'errorUri' | 'errorPage'
>;

/** The parts of a resource that a rejection uses. @internal */
export interface ChallengedResource extends Pick<ProtectedResource, 'metadataUrl' | 'challengeScopes'> {
  /** The resource's authorization servers by issuer. */
  readonly servers: ReadonlyMap<string, unknown>;
  readonly options?: Partial<Pick<ProtectedResource['options'], 'dpop'>>;
}

/** The responses of one resource that are the same for every request. */
interface FixedAnswers {
  readonly noCredentials: RejectionAnswer;
  readonly severalCredentials: RejectionAnswer;
  readonly badToken: RejectionAnswer;
}

const fixed = new WeakMap<RejectionSettings, WeakMap<ChallengedResource, FixedAnswers>>();

/**
 * Maps a failure to status and headers. No data of the request is used, so the same failure always gives the same bytes.
 * The common responses to requests without a valid token are made once for each resource.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3.1 | RFC 6750 section 3.1}
 * @internal
 */
export function answerTo(
  failure: unknown,
  resource: ChallengedResource,
  settings: RejectionSettings,
): RejectionAnswer {
  if (failure instanceof ProofRejectedError)
    return proofAnswer(failure, resource, errorUriOf(failure, settings));
  if (failure instanceof TokenRejectedError) {
    if (settings.errorPage !== undefined) return badToken(resource, errorUriOf(failure, settings));
    return fixedAnswers(resource, settings).badToken;
  }
  if (failure instanceof CredentialsRejectedError) return credentialsAnswer(failure, resource, settings);
  if (failure instanceof InsufficientScopeError) {
    const scopes = soundScopes(failure.scopes);
    const description = 'The access token does not grant what this operation needs';
    const errorUri = errorUriOf(failure, settings);
    return challenged(403, resource, errorUri, { error: 'insufficient_scope', scopes, description });
  }
  if (failure instanceof InsufficientAuthenticationError)
    return challenged(401, resource, errorUriOf(failure, settings), authenticationChallenge(failure));
  return unchallenged(failure);
}

/** Returns the answer to a failure that no other token or scope would prevent. */
function unchallenged(failure: unknown): RejectionAnswer {
  if (failure instanceof MessageRejectedError) return MESSAGES_REJECTED[failure.reason];
  if (failure instanceof RequestOriginRejectedError) return originAnswer(failure);
  if (failure instanceof TenantRejectedError) return TENANTS_REJECTED[failure.reason];
  return failure instanceof AuthorizationServerUnavailableError ? UNAVAILABLE : FAULT;
}

function credentialsAnswer(
  { reason, scopes }: CredentialsRejectedError,
  resource: ChallengedResource,
  settings: RejectionSettings,
): RejectionAnswer {
  const { noCredentials, severalCredentials } = fixedAnswers(resource, settings);
  if (reason === 'multiple_credentials') return severalCredentials;
  if (scopes.length === 0) return noCredentials;
  return {
    ...noCredentials,
    headers: withChallenge(bareChallenge(soundScopes(scopes), resource), resource),
  };
}

/** Without values that may not stand in a challenge: an application may have made the error. */
function authenticationChallenge({
  scopes,
  acrValues,
  maxAgeSeconds,
}: InsufficientAuthenticationError): ErrorChallenge {
  return {
    error: 'insufficient_user_authentication',
    scopes: soundScopes(scopes),
    acrValues: acrValues.filter((each) => isAcrValue(each) === undefined),
    maxAgeSeconds: Number.isSafeInteger(maxAgeSeconds) ? maxAgeSeconds : undefined,
    description: 'This operation needs a stronger or more recent authentication of the user',
  };
}

function fixedAnswers(resource: ChallengedResource, settings: RejectionSettings): FixedAnswers {
  let ofSettings = fixed.get(settings);
  if (!ofSettings) fixed.set(settings, (ofSettings = new WeakMap()));
  let answers = ofSettings.get(resource);
  if (!answers) ofSettings.set(resource, (answers = makeFixedAnswers(resource, settings)));
  return answers;
}

function makeFixedAnswers(resource: ChallengedResource, settings: RejectionSettings): FixedAnswers {
  const { challengeScopes: scopes } = resource;
  return {
    noCredentials: {
      status: 401,
      headers: withChallenge(bareChallenge(scopes, resource), resource),
      error: 'missing_token',
      description: 'Send an access token: Authorization: Bearer TOKEN',
    },
    severalCredentials: challenged(
      400,
      resource,
      errorUriOf(new CredentialsRejectedError('multiple_credentials'), settings),
      {
        error: 'invalid_request',
        scopes: [],
        description: 'The request carries more than one credential',
      },
    ),
    badToken: badToken(resource, settings.errorUri),
  };
}

function badToken(resource: ChallengedResource, errorUri: string | undefined): RejectionAnswer {
  const { challengeScopes: scopes } = resource;
  const description = 'The access token is invalid or expired';
  return challenged(401, resource, errorUri, { error: 'invalid_token', scopes, description });
}

/** RFC 6750 section 3.1: no error code if no credentials were sent. The body may say more. */
function bareChallenge(scopes: readonly string[], { metadataUrl }: ChallengedResource): string {
  return bearerChallenge({ scopes, resourceMetadata: metadataUrl });
}

/** A challenge that says what is wrong. */
type ErrorChallenge = Omit<BearerChallenge, 'resourceMetadata' | 'errorUri'> & {
  readonly error: string;
  readonly description: string;
};

/** The error is that of the scheme DPoP. The Bearer challenge says where the metadata is. */
function proofAnswer(
  { reason, nonce }: ProofRejectedError,
  resource: ChallengedResource,
  errorUri: string | undefined,
): RejectionAnswer {
  const needsNonce = reason === 'proof_nonce';
  const error = needsNonce ? 'use_dpop_nonce' : 'invalid_dpop_proof';
  const description = needsNonce
    ? 'Send a DPoP proof with the nonce of this response'
    : 'The DPoP proof is missing or invalid';
  const bearer = bareChallenge(resource.challengeScopes, resource);
  const headers = {
    ...withChallenge(bearer, resource, { error, description, errorUri }),
    ...(nonce !== undefined && { 'DPoP-Nonce': nonce }),
  };
  return { status: 401, headers, error, description, errorUri };
}

function challenged(
  status: number,
  resource: ChallengedResource,
  errorUri: string | undefined,
  parameters: ErrorChallenge,
): RejectionAnswer {
  const { error, description } = parameters;
  const { metadataUrl: resourceMetadata } = resource;
  const challenge = bearerChallenge({ ...parameters, resourceMetadata, errorUri });
  return { status, headers: withChallenge(challenge, resource), error, description, errorUri };
}

/** Adds the challenge of DPoP if the resource accepts proofs: after that of Bearer, because some clients read only the first. */
function withChallenge(
  bearer: string,
  { options }: ChallengedResource,
  failure: Omit<DpopChallenge, 'algorithms'> = {},
): RejectionHeaders {
  const { dpop } = options ?? {};
  const challenges = dpop ? [bearer, dpopChallenge({ ...failure, algorithms: dpop.algorithms })] : bearer;
  return Object.freeze({ 'WWW-Authenticate': challenges, ...NO_STORE });
}
