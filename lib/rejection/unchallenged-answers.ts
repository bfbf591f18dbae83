import {
  AccessDeniedError,
  AuthorizationServerUnavailableError,
  type MessageRejection,
  MessageRejectedError,
  RequestOriginRejectedError,
  TenantRejectedError,
  type TenantRejection,
} from '../errors/rejection.errors.js';

/** Headers by name: a header with several lines has a list. @internal */
export type RejectionHeaders = Readonly<Record<string, string | string[]>>;

/** The response to a failure, in either form of the body. Shared by all requests: never changed. @internal */
export interface RejectionAnswer {
  readonly status: number;
  readonly headers: RejectionHeaders;
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

/** No challenge: neither further scopes nor another sign-in change the response. */
const accessDenied = (description: string): RejectionAnswer => ({
  status: 403,
  headers: NO_STORE,
  error: 'access_denied',
  description,
});

const POLICY_DENIED = accessDenied('The caller is not allowed to do this');

const CLIENT_DENIED = accessDenied('This client is not allowed to use this resource');

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

/** The answers to messages that must not be served. */
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

/** The token of the caller is valid; a handler needs another one. */
const NO_DOWNSTREAM_TOKEN: RejectionAnswer = {
  ...UNAVAILABLE,
  description: 'An authorization server does not answer at the moment; try again later',
};

/** The answers to requests whose tenant has no resource. No challenge: no token changes that. */
const TENANTS_REJECTED: Readonly<Record<TenantRejection, RejectionAnswer>> = {
  unknown_tenant: {
    status: 404,
    headers: NO_STORE,
    error: 'not_found',
    description: 'No protected resource has this path',
  },
  tenant_unavailable: {
    ...UNAVAILABLE,
    description: 'The protected resource is not known at the moment; try again later',
  },
};

/** The application fails. */
const FAULT: RejectionAnswer = {
  status: 500,
  headers: NO_STORE,
  error: 'server_error',
  description: 'The request could not be checked',
};

/**
 * Returns the answer to a failure that no other token and no other scope cures. Everything unknown is a fault of the application.
 *
 * @internal
 */
export function unchallengedAnswer(failure: unknown): RejectionAnswer {
  if (failure instanceof AccessDeniedError) return accessDeniedAnswer(failure);
  if (failure instanceof MessageRejectedError) return MESSAGES_REJECTED[failure.reason];
  if (failure instanceof RequestOriginRejectedError) return originAnswer(failure);
  if (failure instanceof TenantRejectedError) return TENANTS_REJECTED[failure.reason];
  return failure instanceof AuthorizationServerUnavailableError ? unavailableAnswer(failure) : FAULT;
}

/** Returns the answer to a request that cannot be served while an authorization server is away. */
function unavailableAnswer({ missing }: AuthorizationServerUnavailableError): RejectionAnswer {
  return missing === 'downstream token' ? NO_DOWNSTREAM_TOKEN : UNAVAILABLE;
}

/** Returns the answer to a request whose Origin, Host or target is rejected. */
function originAnswer({ reason }: RequestOriginRejectedError): RejectionAnswer {
  if (reason === 'request_target') return TARGET_REJECTED;
  if (reason === 'duplicate_host') return SEVERAL_HOSTS;
  return reason === 'host' ? HOST_REJECTED : ORIGIN_REJECTED;
}

/** Returns the answer to a caller that is denied whatever its scopes. */
function accessDeniedAnswer({ reason }: AccessDeniedError): RejectionAnswer {
  return reason === 'client' ? CLIENT_DENIED : POLICY_DENIED;
}
