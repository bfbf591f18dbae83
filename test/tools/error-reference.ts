import type { DiscoveryFailure, McpAuthErrorCode, RejectionReason } from 'nestjs-mcp-auth';

/** What an error code or a reason stands for: what the tables of errors in OPERATIONS.md say. */
export interface ErrorReferenceEntry {
  /** The HTTP statuses that a client may see; none where the application does not start. */
  readonly statuses: readonly number[];
  /** What happened, in plain text. */
  readonly meaning: string;
  /** What to do about it, in plain text. */
  readonly fix: string;
}

/** An entry with one status, several, or none. */
const entry = (
  status: number | readonly number[] | undefined,
  meaning: string,
  fix: string,
): ErrorReferenceEntry => ({
  statuses: status === undefined ? [] : [status].flat(),
  meaning,
  fix,
});

/** Every reason for which a request is rejected. A reason without an entry does not compile. */
export const REJECTION_REFERENCE: Readonly<Record<RejectionReason, ErrorReferenceEntry>> = {
  origin: entry(
    403,
    'a browser page of another origin made the request',
    "allow the page's origin if it is yours; nothing to do otherwise",
  ),
  host: entry(
    403,
    "the request names another host than the resource's",
    "use the resource's own URL, or let the proxy pass on its Host",
  ),
  duplicate_host: entry(
    400,
    'the request names two hosts',
    'send one Host header; see whether a proxy adds another',
  ),
  request_target: entry(
    400,
    'the target on the first line of the request has none of the forms of RFC 9112; reported for the first resource',
    'send a path, or a URL with a path; see whether a proxy rewrites it',
  ),
  missing_token: entry(
    401,
    'no Authorization header, or none with a token behind the scheme',
    'send `Authorization: Bearer` and the token; nowhere else is looked',
  ),
  unsupported_scheme: entry(
    401,
    'another scheme than Bearer',
    'send the access token with the scheme Bearer',
  ),
  multiple_credentials: entry(
    400,
    'several Authorization headers, or a token in the query beside one',
    'send one credential; see whether a proxy adds another',
  ),
  malformed: entry(
    401,
    'not the form of a token, or of a JWT where one is expected',
    'send the access token unchanged; for opaque tokens configure `introspection`',
  ),
  too_long: entry(
    401,
    'longer than `maxTokenLength`, 8192 characters by default',
    'let the authorization server issue smaller tokens, or widen `maxTokenLength`',
  ),
  algorithm: entry(
    401,
    'signed by an algorithm that is not accepted',
    'sign with RS, PS, ES or EdDSA, or widen `algorithms`',
  ),
  type: entry(
    401,
    'the header says another kind of token, or a payload that is not claims',
    'send the access token, not the ID token; with `profile: rfc9068` it is typed `at+jwt`',
  ),
  unknown_key: entry(
    401,
    'no key of the issuer fits the token',
    'see that `jwks_uri` lists the signing key; the authorization server may sign for another application',
  ),
  unusable_key: entry(
    401,
    'the key that fits is broken or too weak',
    'publish a sound key: RSA of 2048 bits or more, or a named curve',
  ),
  signature: entry(
    401,
    "the signature is not by the issuer's key",
    'get a new token; if all fail, compare `jwks_uri` with the server that signs. A server that gives a key id to a new key is followed after `cooldownSeconds`',
  ),
  inactive: entry(
    401,
    'the authorization server, or your verifier, does not know the token as active',
    'get a new token',
  ),
  issuer: entry(
    401,
    "the issuer is none of the resource's authorization servers, to the letter",
    'compare `iss` with `authorizationServers`, trailing slash included',
  ),
  audience: entry(
    401,
    'the token is for something else',
    "let the client send `resource` with the resource's URL, and the server put it into `aud`; else set `audience`",
  ),
  expired: entry(401, 'past its `exp`', 'refresh the token; if new ones fail, compare the clocks'),
  not_yet_valid: entry(
    401,
    'before its `nbf` or `iat`',
    'compare the clocks, or widen `clockToleranceSeconds`',
  ),
  time_claims: entry(
    401,
    'no `exp`, or a time claim that is no time',
    'let the authorization server issue tokens that expire',
  ),
  too_old: entry(401, 'issued longer ago than `maxTokenAgeSeconds`', 'refresh the token'),
  missing_claim: entry(
    401,
    'a claim that every token must have is missing',
    'let the authorization server add it; `profile: rfc9068` asks for more claims than `lenient`',
  ),
  subject: entry(401, 'neither a subject nor a client is named', 'let the authorization server name one'),
  sender_constrained: entry(
    401,
    'the token is bound to a key (`cnf`), and proofs are not checked',
    'let the authorization server issue plain bearer tokens for this resource',
  ),
  not_an_access_token: entry(
    401,
    'an ID token, a logout token or a proof',
    'send the access token of the same answer',
  ),
  revoked: entry(401, '`isRevoked` said so', 'log in again'),
  batch: entry(
    400,
    'a JSON-RPC batch under a protocol version of 2025-06-18 or later, which know none',
    'send one message in each request',
  ),
  header_mismatch: entry(
    400,
    'the headers of an MCP 2026-07-28 message say something else than its body, or are missing',
    'send MCP-Protocol-Version, Mcp-Method and Mcp-Name as in the body, each once; see whether a proxy changes them',
  ),
  too_large: entry(
    400,
    'a message that asks for more operations than `maxOperations`, or for URIs of more than 65,536 characters',
    'send several requests, or widen `maxOperations`',
  ),
  undeclared_tool: entry(
    403,
    "a call of a tool that nothing declares, with `undeclaredTools: 'deny'` or an McpHandlerSource",
    'declare the tool by a decorator or an McpHandlerSource; no token helps',
  ),
  other_resource: entry(
    403,
    'an operation whose handler names another resource by `@ProtectedResource()` or in an McpHandlerSource',
    'call it at the endpoint of that resource, with a token for it',
  ),
  media_type: entry(
    415,
    'a body that is not sent as `application/json`, so it was not parsed and cannot be checked',
    'send `Content-Type: application/json`; no token helps',
  ),
  not_a_message: entry(
    400,
    'a body that is neither a JSON object nor an array, or one that is too large for `BearerAuthMiddleware` to read',
    'send a JSON object; if you did, the application reads bodies as text: let a JSON body parser run before the guard',
  ),
  no_stream: entry(
    405,
    'an MCP client without a token requested a stream outside of a session, at a resource with `anonymousMethods`',
    'nothing: clients go on without a stream',
  ),
  insufficient_scope: entry(
    403,
    'the token lacks scopes that the operation needs',
    'ask for the scopes in the challenge; see that the authorization server grants them',
  ),
  unavailable: entry(
    503,
    'the authorization server, its keys or your verifier cannot be asked now',
    'try again after `Retry-After`; the log names the address and the cause',
  ),
  fault: entry(
    500,
    'something of the application failed, such as a verifier that threw',
    'see the log: it has the error and its stack',
  ),
};

/** Every error code of this package. A code without an entry does not compile. */
export const ERROR_CODE_REFERENCE: Readonly<Record<McpAuthErrorCode, ErrorReferenceEntry>> = {
  ERR_MCP_AUTH_CONFIG: entry(
    undefined,
    'the options, or how the application uses the module, are wrong; it does not start',
    'each line of the message names an option or a class, and what to write instead',
  ),
  ERR_MCP_AUTH_DISCOVERY: entry(
    503,
    'metadata or keys of an authorization server cannot be had; at bootstrap the application does not start',
    'see the discovery failures',
  ),
  ERR_MCP_AUTH_UNAVAILABLE: entry(
    503,
    'a token cannot be checked now, and nothing usable is kept',
    'see that the application reaches the authorization server; the cause says what failed',
  ),
  ERR_MCP_AUTH_ORIGIN_REJECTED: entry(
    [400, 403],
    'the request has an Origin or a Host that the resource does not answer to, or a malformed target',
    'see the reasons `origin`, `host`, `duplicate_host` and `request_target`',
  ),
  ERR_MCP_AUTH_CREDENTIALS_REJECTED: entry(
    [400, 401],
    'no usable bearer token, or more than one credential',
    'send one access token, in the Authorization header',
  ),
  ERR_MCP_AUTH_TOKEN_REJECTED: entry(
    401,
    'the access token is not good for this resource',
    'get a new token; the reason says what is wrong with this one',
  ),
  ERR_MCP_AUTH_MESSAGE_REJECTED: entry(
    [400, 403, 405, 415],
    'the message is not what its protocol version allows, calls what nothing declares, or is not sent as JSON, as an object',
    'see the reasons `batch`, `header_mismatch`, `undeclared_tool`, `media_type`, `not_a_message` and `no_stream`',
  ),
  ERR_MCP_AUTH_INSUFFICIENT_SCOPE: entry(
    403,
    'the access token is good, and lacks scopes',
    'ask for the scopes that the challenge names',
  ),
};

/** Every way in which discovery fails. A failure without an entry does not compile. */
export const DISCOVERY_FAILURE_REFERENCE: Readonly<Record<DiscoveryFailure, ErrorReferenceEntry>> = {
  unreachable: entry(503, 'no connection', 'see to name, network and TLS certificate'),
  timeout: entry(503, 'no complete answer in time', 'see to network and server'),
  server_error: entry(503, 'answered 500 or more', 'see to the server'),
  not_found: entry(
    503,
    'answered 400 or more: no document there',
    'configure the issuer as the server writes it, or `metadataUrl`',
  ),
  redirected: entry(
    503,
    'answered with a redirect, which is not followed',
    'configure the address that it leads to, if you trust it',
  ),
  too_large: entry(503, 'larger than a document may be', 'see what stands at the address'),
  not_json: entry(503, 'not a JSON object with status 200', 'see what stands at the address'),
  issuer_mismatch: entry(
    503,
    'the document names another issuer',
    'configure the issuer as the document writes it, trailing slash included',
  ),
  metadata_invalid: entry(
    503,
    'the document lacks a member, or has a wrong one',
    'repair it by `transpileData`; the message names the member',
  ),
  transpile_failed: entry(503, '`transpileData` threw, or gave no object', 'correct the function'),
};
