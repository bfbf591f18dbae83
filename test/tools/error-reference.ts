import type { DiscoveryFailure, McpAuthErrorCode, RejectionReason } from 'nestjs-mcp-auth';

/** What an error code or a reason means: the content of docs/reference/errors.md. */
export interface ErrorReferenceEntry {
  /** The HTTP statuses that a client may see; none where the application does not start. */
  readonly statuses: readonly number[];
  /** What happened, as sentences in Markdown. */
  readonly meaning: string;
  /** What to do about it, as sentences in Markdown. */
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
    'A browser page of another origin sent the request.',
    'If the page is yours, add its origin to `allowedOrigins`. Otherwise there is nothing to do.',
  ),
  host: entry(
    403,
    "The request names another host than the resource's.",
    "Use the resource's own URL, or let the proxy pass on the Host header.",
  ),
  duplicate_host: entry(
    400,
    'The request names two hosts.',
    'Send one Host header. Check whether a proxy adds another.',
  ),
  request_target: entry(
    400,
    'The target on the first line of the request has none of the forms of RFC 9112. It is reported for the first resource.',
    'Send a path, or a URL with a path. Check whether a proxy rewrites it.',
  ),
  unknown_tenant: entry(
    404,
    'The path names no tenant: it is not spelled as the resource of a tenant, or `tenants` returned `undefined`. The event and the log name the template.',
    'Compare the path of the client with the resource of the tenant: they must be exactly equal. If the tenant is new, wait 10 seconds.',
  ),
  tenant_unavailable: entry(
    503,
    'The option `tenants` threw or gave no answer in time, or too many calls for unknown tenants failed. The log says which.',
    'Check what the resolver depends on. If clients try out tenants, limit requests before this application.',
  ),
  missing_token: entry(
    401,
    'The request has no Authorization header, or one without a token after the scheme.',
    'Send `Authorization: Bearer` and the token. Tokens in other places are ignored.',
  ),
  unsupported_scheme: entry(
    401,
    'The Authorization header has another scheme than Bearer.',
    'Send the access token with the scheme Bearer.',
  ),
  multiple_credentials: entry(
    400,
    'The request has several Authorization headers, or one and a token in the query, or an API key beside another credential.',
    'Send one credential. Check whether a proxy adds another.',
  ),
  malformed: entry(
    401,
    'The credential does not have the form of a token, or of a JWT if the resource expects one.',
    'Send the access token unchanged. For opaque tokens, configure `introspection`.',
  ),
  too_long: entry(
    401,
    'The token is longer than `maxTokenLength`, 8192 characters by default.',
    'Let the authorization server issue smaller tokens, or raise `maxTokenLength`.',
  ),
  algorithm: entry(
    401,
    'The token is signed with an algorithm that `algorithms` does not list.',
    'Sign with RS, PS, ES or EdDSA, or extend `algorithms`.',
  ),
  type: entry(
    401,
    'The header names another type of token, or the payload is not a JSON object of claims.',
    "Send the access token, not the ID token. With `profile: 'rfc9068'`, its type is `at+jwt`.",
  ),
  unknown_key: entry(
    401,
    'No key of the issuer fits the token.',
    'Check that `jwks_uri` lists the signing key. The authorization server may sign for another application.',
  ),
  unusable_key: entry(
    401,
    'The key that fits is broken or too weak.',
    'Publish a sound key: RSA with at least 2048 bits, or a named curve.',
  ),
  signature: entry(
    401,
    "The signature was not made with the issuer's key.",
    'Get a new token. If all tokens fail, compare `jwks_uri` with the server that signs. If the server gives the ID of an old key to a new key, the new key is used after `cooldownSeconds`.',
  ),
  inactive: entry(
    401,
    'The authorization server, or your verifier, does not report the token as active.',
    'Get a new token.',
  ),
  issuer: entry(
    401,
    "The issuer is not exactly one of the resource's authorization servers, nor one that its resolver knows; or the verifier of API keys named another issuer.",
    'Compare `iss` with `authorizationServers` and with what `authorizationServerResolver` returns, including a trailing slash.',
  ),
  audience: entry(
    401,
    'The token is for something else.',
    "Let the client send `resource` with the resource's URL, and let the server put it into `aud`. Otherwise set `audience`.",
  ),
  expired: entry(
    401,
    'The time in `exp` has passed.',
    'Refresh the token. If new tokens fail too, compare the clocks.',
  ),
  not_yet_valid: entry(
    401,
    'The time in `nbf` or `iat` has not come yet.',
    'Compare the clocks, or raise `clockToleranceSeconds`.',
  ),
  time_claims: entry(
    401,
    'The token has no `exp`, or a time claim that is not a time.',
    'Let the authorization server issue tokens that expire.',
  ),
  too_old: entry(401, 'The token was issued longer ago than `maxTokenAgeSeconds`.', 'Refresh the token.'),
  missing_claim: entry(
    401,
    'The token lacks a required claim.',
    "Let the authorization server add it. `profile: 'rfc9068'` requires more claims than `'lenient'`.",
  ),
  subject: entry(
    401,
    'The token names neither a subject nor a client.',
    'Let the authorization server name one.',
  ),
  actor: entry(
    401,
    'The claim `act` does not name who acts for the subject, or names more than 8 actors.',
    'Let the authorization server name each actor by a text in `sub` or `client_id`, or leave earlier actors out.',
  ),
  sender_constrained: entry(
    401,
    'The token is bound (`cnf`), and the resource verifies no such proof, or the token is sent as `Bearer` without one.',
    'Send it with the scheme DPoP and a proof, and set `dpop`, or set `mutualTls`; or let the authorization server issue bearer tokens.',
  ),
  not_an_access_token: entry(
    401,
    'The token is an ID token, a logout token or a proof.',
    'Send the access token of the same token response.',
  ),
  not_bound: entry(
    401,
    'The token is not bound to a key. The resource requires that, or the request presents the token with the scheme DPoP.',
    'Let the client use DPoP when it gets the token, or send an unbound token as `Bearer`.',
  ),
  certificate_missing: entry(
    401,
    'The token is bound to a TLS certificate, and the client has sent none, or the proxy has not passed it on.',
    'Let the TLS server ask for certificates (`requestCert`), and the proxy set the header of `mutualTls.certificateHeader`. The address of the proxy must be in `trustedProxies`.',
  ),
  certificate_malformed: entry(
    401,
    'The header with the certificate is there several times, or does not have its `format`.',
    'Let the proxy replace the header of its clients, and compare `format` with what it sends.',
  ),
  certificate_mismatch: entry(
    401,
    'The client uses another TLS certificate than the one that the token is bound to.',
    'Use the certificate that the token was requested with. After a change of the certificate, get a new token.',
  ),
  proof_missing: entry(
    401,
    'The scheme is DPoP, and the header `DPoP` is missing.',
    'Send a proof with each request.',
  ),
  proof_malformed: entry(
    401,
    'There are several `DPoP` headers, or the proof is not a JWT of type `dpop+jwt` with `jti`, `htm`, `htu` and `iat`. Proofs have 4096 characters at most.',
    'Make proofs by a library for DPoP.',
  ),
  proof_algorithm: entry(
    401,
    'The proof is signed with an algorithm that `dpop.algorithms` does not list.',
    'Choose an algorithm of `dpop_signing_alg_values_supported`.',
  ),
  proof_key: entry(
    401,
    'The key in the proof is not a public key, is too large, or is not the key that the token is bound to (`cnf.jkt`).',
    'Sign proofs with the key that the token was requested with.',
  ),
  proof_signature: entry(401, 'The signature of the proof is wrong.', 'Make proofs by a library for DPoP.'),
  proof_request: entry(
    401,
    '`htm` is not the method of the request, or `htu` is not the origin of the resource and the path of the request.',
    'Make a proof for each request. If a proxy changes the path, let it keep the path of `resource`.',
  ),
  proof_time: entry(
    401,
    'The `iat` of the proof is further than `dpop.proofMaxAgeSeconds` from now.',
    'Make a new proof for each request, and compare the clocks.',
  ),
  proof_token: entry(
    401,
    'The proof was made for another token, or for none (`ath`).',
    'Make proofs with the hash of the token that is sent.',
  ),
  proof_nonce: entry(
    401,
    'The proof has no nonce, or one that is not valid any more.',
    'Send the request again with the `DPoP-Nonce` of the answer in the proof. Clients do this by themselves.',
  ),
  proof_replayed: entry(
    401,
    'The proof was used before.',
    'Make a new proof for each request. If the client does, look for a proxy that repeats requests, or for a thief.',
  ),
  revoked: entry(401, '`isRevoked` returned true.', 'Sign in again.'),
  replayed: entry(
    401,
    'The token may be used for one request only (`oneTimeTokens`), or the proof of possession, and it was used before.',
    'Get a new token, or make a new proof for each request. If a client never sends one twice, look for a proxy that retries.',
  ),
  batch: entry(
    400,
    'The body is a JSON-RPC batch under a protocol version of 2025-06-18 or later, which has no batches.',
    'Send one message in each request.',
  ),
  header_mismatch: entry(
    400,
    'The headers of an MCP 2026-07-28 message contradict its body, or are missing.',
    'Send MCP-Protocol-Version, Mcp-Method and Mcp-Name as in the body, each once. Check whether a proxy changes them.',
  ),
  too_large: entry(
    400,
    'The message has more operations than `maxOperations`, or URIs of more than 65,536 characters.',
    'Send several requests, or raise `maxOperations`.',
  ),
  undeclared_tool: entry(
    403,
    "The call names a tool that is not declared, with `undeclaredTools: 'deny'` or an McpHandlerSource.",
    'Declare the tool by a decorator or an McpHandlerSource. Another token does not help.',
  ),
  other_resource: entry(
    403,
    'The handler of the operation names another resource, by `@ProtectedResource()` or in an McpHandlerSource.',
    'Call it at the endpoint of that resource, with a token for it.',
  ),
  media_type: entry(
    415,
    'The body is not sent as `application/json`, so it was not parsed and cannot be checked.',
    'Send `Content-Type: application/json`. Another token does not help.',
  ),
  not_a_message: entry(
    400,
    'The body is neither a JSON object nor an array, or it is too large for `BearerAuthMiddleware` to read.',
    'Send a JSON object. If you did, the application reads bodies as text: let a JSON body parser run before the guard.',
  ),
  no_stream: entry(
    405,
    'An MCP client without a token requested a stream outside of a session, at a resource with `anonymousMethods`.',
    'There is nothing to do: clients go on without a stream.',
  ),
  policy: entry(
    403,
    'A policy of the application denied the operation to this caller. No scope and no other sign-in changes that.',
    'Ask the owner of the policy. The log names the handler; the policy decides on the caller and the arguments.',
  ),
  client: entry(
    403,
    'The resource does not allow the client that the token was issued to.',
    'Add the client to `allowedClients` of the resource, or use one that is allowed.',
  ),
  insufficient_scope: entry(
    403,
    'The token lacks scopes that the operation needs.',
    'Request the scopes of the challenge. Check that the authorization server grants them.',
  ),
  insufficient_user_authentication: entry(
    401,
    'The user has authenticated in another way, or longer ago, than `@RequireAuthentication()` asks for.',
    'Send the user to the authorization server, with the `acr_values` and `max_age` of the challenge. Check that the server puts `acr` and `auth_time` into access tokens.',
  ),
  unavailable: entry(
    503,
    'The authorization server, its keys, your verifier, your `authorizationServerResolver` or a policy does not answer now.',
    'Try again after `Retry-After`. The log names the address and the cause.',
  ),
  fault: entry(
    500,
    'The application failed, such as a verifier or a policy that threw.',
    'Read the log: it has the error and its stack.',
  ),
};

/** Every error code of this package. A code without an entry does not compile. */
export const ERROR_CODE_REFERENCE: Readonly<Record<McpAuthErrorCode, ErrorReferenceEntry>> = {
  ERR_MCP_AUTH_CONFIG: entry(
    undefined,
    'The options, or the way the application uses the module, are wrong. The application does not start.',
    'Each line of the message names an option or a class, and what to write instead.',
  ),
  ERR_MCP_AUTH_DISCOVERY: entry(
    503,
    'Could not fetch the metadata or the keys of an authorization server. At bootstrap, the application does not start.',
    'Read the message: it names the [failure](#discovery-failures).',
  ),
  ERR_MCP_AUTH_UNAVAILABLE: entry(
    503,
    'A token cannot be verified now, and nothing usable is cached; or a policy does not decide in time.',
    'Check that the application reaches the authorization server. The cause says what failed.',
  ),
  ERR_MCP_AUTH_ORIGIN_REJECTED: entry(
    [400, 403],
    'The request has an Origin or a Host that the resource does not accept, or a malformed target.',
    'Look up the reason: `origin`, `host`, `duplicate_host` or `request_target`.',
  ),
  ERR_MCP_AUTH_CREDENTIALS_REJECTED: entry(
    [400, 401],
    'The request has no usable bearer token, or more than one credential.',
    'Send one access token, in the Authorization header.',
  ),
  ERR_MCP_AUTH_TOKEN_REJECTED: entry(
    401,
    'The access token is not valid for this resource.',
    'Get a new token. The reason says why this one was rejected.',
  ),
  ERR_MCP_AUTH_MESSAGE_REJECTED: entry(
    [400, 403, 405, 415],
    'The message may not be served, whatever the token.',
    'Look up the reason: `batch`, `header_mismatch`, `too_large`, `undeclared_tool`, `other_resource`, `media_type`, ' +
      '`not_a_message` or `no_stream`.',
  ),
  ERR_MCP_AUTH_ACCESS_DENIED: entry(
    403,
    'The access token is valid, but its caller may not do this, whatever its scopes.',
    'Look up the reason: `policy` or `client`.',
  ),
  ERR_MCP_AUTH_TENANT_REJECTED: entry(
    [404, 503],
    'The path of the request names no tenant, or the resource of its tenant is not known now.',
    'Look up the reason: `unknown_tenant` or `tenant_unavailable`.',
  ),
  ERR_MCP_AUTH_INSUFFICIENT_SCOPE: entry(
    403,
    'The access token is valid, but lacks scopes.',
    'Request the scopes that the challenge names.',
  ),
  ERR_MCP_AUTH_INSUFFICIENT_AUTHENTICATION: entry(
    401,
    'The access token is valid, but its user has not authenticated strongly or recently enough.',
    'Let the user authenticate again, as the challenge says.',
  ),
  ERR_MCP_AUTH_DOWNSTREAM_TOKEN: entry(
    undefined,
    '`DownstreamTokens` has no token for another service. It is thrown to the handler, and is a fault if no code catches it.',
    'Read `reason` and `oauthError`, and see the guide to [downstream tokens](../guides/downstream-tokens.md#errors).',
  ),
};

/** Every way in which discovery fails. A failure without an entry does not compile. */
export const DISCOVERY_FAILURE_REFERENCE: Readonly<Record<DiscoveryFailure, ErrorReferenceEntry>> = {
  unreachable: entry(503, 'There was no connection.', 'Check the name, the network and the TLS certificate.'),
  timeout: entry(503, 'There was no complete response in time.', 'Check the network and the server.'),
  server_error: entry(503, 'The server answered with status 500 or higher.', 'Check the server.'),
  not_found: entry(
    503,
    'The server answered with a status from 400 to 499, so there is no document.',
    'Configure the issuer exactly as the server writes it, or set `metadataUrl`.',
  ),
  redirected: entry(
    503,
    'The server answered with a redirect. Redirects are not followed.',
    'Configure the address that it leads to, if you trust it.',
  ),
  too_large: entry(503, 'The document is larger than the limit.', 'Check what is served at the address.'),
  not_json: entry(
    503,
    'The response is not a JSON object with status 200.',
    'Check what is served at the address.',
  ),
  issuer_mismatch: entry(
    503,
    'The document names another issuer.',
    'Configure the issuer exactly as the document writes it, including a trailing slash.',
  ),
  metadata_invalid: entry(
    503,
    'The document lacks a member, or has a wrong one.',
    'Repair it by `transpileData`. The message names the member.',
  ),
  transpile_failed: entry(
    503,
    '`transpileData` threw, or did not return an object.',
    'Correct the function.',
  ),
};
