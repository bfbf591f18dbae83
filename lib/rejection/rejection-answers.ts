import {
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
  type MessageRejection,
  MessageRejectedError,
  RequestOriginRejectedError,
  TokenRejectedError,
} from '../errors/rejection.errors.js';
import { isAcrValue, isScopeToken } from '../options/value-rules.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import { type BearerChallenge, bearerChallenge } from './www-authenticate.js';

/** The options that a rejection depends on. @internal */
export type RejectionSettings = Pick<ResolvedMcpAuthOptions, 'showErrorDetails' | 'errorBody' | 'errorUri'>;

/** The parts of a resource that a rejection uses. @internal */
export interface ChallengedResource extends Pick<ProtectedResource, 'metadataUrl' | 'challengeScopes'> {
  /** The resource's authorization servers by issuer. */
  readonly servers: ReadonlyMap<string, unknown>;
}

/** The response to a failure, in either form of the body. Shared by all requests: never changed. @internal */
export interface RejectionAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly error: string;
  readonly description: string;
  /** The JSON-RPC code, if the message itself is wrong. Then the body always has JSON-RPC form. */
  readonly jsonRpcCode?: number;
  /** Same as in the challenge. */
  readonly errorUri?: string | undefined;
}

/** How long a client should wait before it retries, in seconds. */
const RETRY_AFTER_SECONDS = 5;

/** No cache may store the answer to a request with credentials. @internal */
export const NO_STORE = Object.freeze({ 'Cache-Control': 'no-store' });

/** No challenge: another token does not change the response. */
const ORIGIN_REJECTED: RejectionAnswer = {
  status: 403,
  headers: NO_STORE,
  error: 'forbidden_origin',
  description: "The request's Origin is not allowed here",
};

const HOST_REJECTED: RejectionAnswer = {
  status: 403,
  headers: NO_STORE,
  error: 'forbidden_host',
  description: "The request's Host is not allowed here",
};

const SEVERAL_HOSTS: RejectionAnswer = {
  status: 400,
  headers: NO_STORE,
  error: 'invalid_request',
  description: 'The request has more than one Host',
};

const TARGET_REJECTED: RejectionAnswer = {
  status: 400,
  headers: NO_STORE,
  error: 'invalid_request',
  description: 'The request target is neither a path nor a URL with a path',
};

/** The message itself is wrong, whatever the token. */
const invalidMessage = (jsonRpcCode: number, description: string): RejectionAnswer => ({
  status: 400,
  headers: NO_STORE,
  error: 'invalid_request',
  description,
  jsonRpcCode,
});

const BATCH_REJECTED = invalidMessage(
  -32600,
  'This protocol version has no batches; send one message in each request',
);

const HEADERS_REJECTED = invalidMessage(-32020, 'The headers of the request do not say the same as its body');

const TOO_LARGE_REJECTED = invalidMessage(-32600, 'The request asks for too many operations at once');

/** No challenge: further scopes do not change the response. */
const TOOL_REJECTED: RejectionAnswer = {
  status: 403,
  headers: NO_STORE,
  error: 'forbidden_tool',
  description: 'This tool may not be called',
};

/** No challenge: a token for this resource never grants access. */
const OTHER_RESOURCE: RejectionAnswer = {
  status: 403,
  headers: NO_STORE,
  error: 'forbidden_operation',
  description: 'This operation belongs to another protected resource',
};

/** RFC 9110 section 15.5.16: Accept names the supported media type. */
const MEDIA_TYPE_REJECTED: RejectionAnswer = {
  status: 415,
  headers: Object.freeze({ Accept: 'application/json', ...NO_STORE }),
  error: 'unsupported_media_type',
  description: 'Send the message as JSON: Content-Type: application/json',
};

/** JSON-RPC 2.0 section 4: a message is an object. */
const SCALAR_REJECTED = invalidMessage(-32600, 'Send a JSON-RPC message, which is a JSON object');

/**
 * No challenge: clients go on without a stream, as MCP says, and sign in when an operation needs it.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server | MCP 2025-11-25, transports}
 */
const STREAM_REJECTED: RejectionAnswer = {
  status: 405,
  headers: Object.freeze({ Allow: 'POST', ...NO_STORE }),
  error: 'method_not_allowed',
  description: 'A stream needs an access token, or a session that was opened without one',
};

const MESSAGES_REJECTED: Readonly<Record<MessageRejection, RejectionAnswer>> = {
  batch: BATCH_REJECTED,
  header_mismatch: HEADERS_REJECTED,
  too_large: TOO_LARGE_REJECTED,
  undeclared_tool: TOOL_REJECTED,
  other_resource: OTHER_RESOURCE,
  media_type: MEDIA_TYPE_REJECTED,
  not_a_message: SCALAR_REJECTED,
  no_stream: STREAM_REJECTED,
};

/** No challenge if the client is not at fault: it would discard a valid token. */
const UNAVAILABLE: RejectionAnswer = {
  status: 503,
  headers: Object.freeze({ 'Retry-After': String(RETRY_AFTER_SECONDS), ...NO_STORE }),
  error: 'temporarily_unavailable',
  description: 'The access token cannot be checked at the moment; try again later',
};

const FAULT: RejectionAnswer = {
  status: 500,
  headers: NO_STORE,
  error: 'server_error',
  description: 'The request could not be checked',
};

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
  if (failure instanceof TokenRejectedError) return fixedAnswers(resource, settings).badToken;
  if (failure instanceof CredentialsRejectedError) {
    const { noCredentials, severalCredentials } = fixedAnswers(resource, settings);
    if (failure.reason === 'multiple_credentials') return severalCredentials;
    if (failure.scopes.length === 0) return noCredentials;
    return { ...noCredentials, headers: withChallenge(bareChallenge(soundScopes(failure.scopes), resource)) };
  }
  if (failure instanceof InsufficientScopeError) {
    const scopes = soundScopes(failure.scopes);
    const description = 'The access token does not grant what this operation needs';
    return challenged(403, resource, settings, { error: 'insufficient_scope', scopes, description });
  }
  if (failure instanceof InsufficientAuthenticationError)
    return challenged(401, resource, settings, authenticationChallenge(failure));
  if (failure instanceof MessageRejectedError) return MESSAGES_REJECTED[failure.reason];
  if (failure instanceof RequestOriginRejectedError) return originAnswer(failure);
  return failure instanceof AuthorizationServerUnavailableError ? UNAVAILABLE : FAULT;
}

/** Removes invalid scopes: a handler or verifier of the application may name any text. @internal */
export function soundScopes(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => isScopeToken(scope) === undefined);
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

function originAnswer({ reason }: RequestOriginRejectedError): RejectionAnswer {
  if (reason === 'request_target') return TARGET_REJECTED;
  if (reason === 'duplicate_host') return SEVERAL_HOSTS;
  return reason === 'host' ? HOST_REJECTED : ORIGIN_REJECTED;
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
      headers: withChallenge(bareChallenge(scopes, resource)),
      error: 'missing_token',
      description: 'Send an access token: Authorization: Bearer TOKEN',
    },
    severalCredentials: challenged(400, resource, settings, {
      error: 'invalid_request',
      scopes: [],
      description: 'The request carries more than one credential',
    }),
    badToken: challenged(401, resource, settings, {
      error: 'invalid_token',
      scopes,
      description: 'The access token is invalid or expired',
    }),
  };
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

function challenged(
  status: number,
  { metadataUrl }: ChallengedResource,
  { errorUri }: RejectionSettings,
  parameters: ErrorChallenge,
): RejectionAnswer {
  const { error, description } = parameters;
  const challenge = bearerChallenge({ ...parameters, resourceMetadata: metadataUrl, errorUri });
  return { status, headers: withChallenge(challenge), error, description, errorUri };
}

function withChallenge(challenge: string): RejectionAnswer['headers'] {
  return Object.freeze({ 'WWW-Authenticate': challenge, ...NO_STORE });
}
