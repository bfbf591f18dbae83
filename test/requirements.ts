/** What this package promises on the wire and to its users, by id. Every id is cited by a test, or deferred. */
export interface Requirement {
  /** Where it comes from. */
  readonly source: string;
  readonly behaviour: string;
  /** Why it is not proven yet; an id with a reason needs no test. */
  readonly deferred?: string;
}

const row = (source: string, behaviour: string): Requirement => ({ source, behaviour });

const OPENAI = 'OpenAI plugins/build/auth';
const MCP = 'MCP 2026-07-28 basic/authorization';

const metadata = {
  'PRM-01': row('RFC 9728 3.1', 'each document stands at origin + well-known + path'),
  'PRM-02': row('RFC 9728 3.1', 'a resource without path has its document at the bare well-known path'),
  'PRM-03': row('RFC 9728 1.2', 'a resource with a query is rejected at boot'),
  'PRM-04': row(
    'RFC 9728 1.2, RFC 8707 2',
    'a resource that is no plain https (or loopback) URL is rejected at boot',
  ),
  'PRM-05': row('RFC 9728 3.3', 'the resource is printed exactly as configured'),
  'PRM-06': row(MCP, 'a slash at the end of a resource path gives a warning at boot'),
  'PRM-07': row('interoperability', 'one slash at the end of the requested path is tolerated'),
  'PRM-08': row('RFC 3986 6.2.2.1', 'paths are compared exactly, without pattern syntax'),
  'PRM-09': row('RFC 9728 3.1', 'global prefix and versioning leave the well-known routes where they are'),
  'PRM-10': row('RFC 9728 7.3', 'nothing in document or challenge comes from Host or a forwarding header'),
  'PRM-11': row(MCP, 'a root alias is served for exactly one resource when asked for'),
  'PRM-12': row('RFC 9728 3.3', 'an unknown well-known path never gives another resource document'),
  'PRM-13': row('RFC 9728 3', 'the appended spelling is not served'),
  'PRM-20': row('RFC 9728 3.2', 'status 200, application/json, an object'),
  'PRM-21': row('RFC 9728 2', 'resource is present'),
  'PRM-22': row(MCP, 'authorization_servers has at least one member, or the app does not start'),
  'PRM-23': row('RFC 8414 3.3', 'issuers are printed as the servers write them'),
  'PRM-25': row(MCP, 'offline_access is left out of scopes_supported, with a warning'),
  'PRM-26': row('RFC 9728 2', 'bearer_methods_supported is header'),
  'PRM-27': row('RFC 9728 3.2', 'members without a value are left out'),
  'PRM-28': row(
    'RFC 9728 2, 2.1',
    'further members, known or not, are printed unchanged and checked where known',
  ),
  'PRM-29': row('RFC 9728 2.2', 'signed_metadata is printed, after its issuer and resource are looked at'),
  'PRM-31': row('robustness', 'options changed after boot change nothing'),
  'PRM-40': row('RFC 9728 5', 'the document needs no token, also under a global guard'),
  'PRM-41': row('Fetch', 'the document is readable from any origin'),
  'PRM-42': row('Fetch', 'a preflight is answered with the methods and headers that clients use'),
  'PRM-44': row('RFC 9110 15.5.6', 'other methods get 405 with Allow'),
  'PRM-45': row('RFC 9110 9.3.2', 'HEAD is GET without a body'),
  'PRM-46': row('RFC 9728 7.10', 'Cache-Control, ETag and 304'),
  'PRM-47': row('RFC 9728 3', 'no cookie and no challenge on the document'),
  'PRM-48': row('robustness', 'a malformed path gives 400 or 404, and the next request works'),
  'PRM-60': row('RFC 9728 3.1', 'several resources in one app, each with its document'),
  'PRM-61': row('robustness', 'a resource or an issuer given twice is rejected at boot'),
  'PRM-62': row('RFC 9728 5.1', 'the challenge names the document of its own resource'),
  'PRM-63': row('robustness', 'a guarded route that could belong to several resources is rejected at boot'),
} as const;

const challenges = {
  'CHL-01': row('RFC 9110 15.5.2', 'every 401 carries a challenge'),
  'CHL-02': row('RFC 6750 3', 'the scheme is Bearer, with a parameter behind it'),
  'CHL-03': row('RFC 9728 5.1', 'resource_metadata on 401 leads to the document'),
  'CHL-04': row(MCP, 'resource_metadata on 403'),
  'CHL-05': row(MCP, 'scope on 401 names the scopes of the resource'),
  'CHL-06': row('RFC 6750 3', 'no scope parameter where there is nothing to ask for'),
  'CHL-07': row('RFC 6750 3', 'each parameter once, one challenge'),
  'CHL-08': row('RFC 6750 3.1', 'no error parameter without credentials'),
  'CHL-09': row('RFC 6750 3', 'only allowed characters, whatever a verifier throws'),
  'CHL-10': row('RFC 9110 11.2', 'values are quoted'),
  'CHL-11': row('clients in use', 'the order error, scope, resource_metadata, error_description'),
  'CHL-12': row('injection', 'nothing of request or token in the header'),
  'CHL-13': row('clients in use', 'the same rejection gives the same bytes'),
  'CHL-14': row('RFC 6750 3.1', 'insufficient_scope is 403 with scope'),
  'CHL-15': row('RFC 9700', 'bad tokens of all kinds get the same answer'),
  'CHL-16': row('interoperability', 'the body is OAuth JSON'),
  'CHL-17': row('RFC 9111 3', 'no-store on rejections'),
  'CHL-18': row('robustness', 'an exception filter of the app leaves challenge and status'),
  'CHL-21': row('RFC 9110 15.6.4', 'an outage is 503 with Retry-After and no challenge'),
} as const;

const tokens = {
  'TOK-01': row(MCP, 'the Authorization header is the only source'),
  'TOK-02': row('RFC 6750 2.3', 'a token in the query is never used'),
  'TOK-03': row('RFC 6750 2.2', 'a token in a form body, cookie or other header is never used'),
  'TOK-04': row('RFC 9110 11.1', 'the scheme is compared without regard to case'),
  'TOK-05': row('RFC 6750 2.1', 'one or more spaces between scheme and token'),
  'TOK-06': row('RFC 6750 2.1', 'other characters than b64token are rejected'),
  'TOK-07': row('RFC 6750 3.1', 'more than one credential is 400'),
  'TOK-08': row('robustness', 'a token over the length limit is rejected unseen'),
  'TOK-09': row('robustness', 'extraction takes linear time'),
  'TOK-10': row(MCP, 'every request needs a token'),
  'JWT-01': row('RFC 8725 3.1', 'asymmetric algorithms, and only those configured'),
  'JWT-02': row('RFC 8725 3.2', 'alg none is rejected'),
  'JWT-03': row('RFC 8725 2.1', 'HS256 with the public key is rejected'),
  'JWT-05': row('RFC 7518 3.3', 'a weak RSA key is a rejection, not a fault'),
  'JWT-07': row('RFC 8725 3.11', 'typ of another kind of token is rejected; at+jwt alone by choice'),
  'JWT-08': row('RFC 8725 3.12', 'token-type-confusion of access tokens are rejected'),
  'JWT-09': row('RFC 8725 3.10', 'keys in the header are never used'),
  'JWT-11': row('RFC 7515 4.1.4', 'without kid, every fitting key is tried'),
  'JWT-12': row('RFC 7515 7.1', 'only a compact JWS with three parts'),
  'JWT-13': row('RFC 7519 7.2', 'the payload is a JSON object'),
  'JWT-20': row('RFC 9068 4', 'iss is exactly one of the resource issuers'),
  'JWT-21': row('SSRF', 'an unknown issuer causes no request'),
  'JWT-22': row('RFC 8725 3.8', 'keys belong to their issuer'),
  'JWT-23': row('RFC 9068 4', 'the signature comes before any claim'),
  'JWT-24': row('RFC 7519 4.1.4', 'exp is there, is a number, and is not over'),
  'JWT-25': row('RFC 7519 4.1.5', 'nbf is honoured'),
  'JWT-26': row('RFC 9068 2.2', 'iat in the future is rejected, and one long ago by choice'),
  'JWT-27': row('RFC 7519 4.1.4', 'the clock tolerance is bounded'),
  'JWT-28': row('RFC 9068 2.2', 'there is a subject or a client; all claims of RFC 9068 by choice'),
  'AUD-01': row(MCP, 'the token names this resource'),
  'AUD-02': row(MCP, 'scheme and host case, default port and one slash make no difference, the rest does'),
  'AUD-03': row('RFC 7519 4.1.3', 'one member of a list is enough, unless an option rejects several'),
  'AUD-05': row('RFC 9068 4', 'configured audiences take the place of the resource'),
  'AUD-07': row('confused deputy', 'a token for one resource does not open another'),
  'CLM-01': row('RFC 6749 3.3', 'scope is split at spaces'),
  'CLM-02': row('RFC 9068 2.2.3', 'scope, else scp, else scopes; no union'),
  'CLM-03': row('RFC 9068 2.2.3', 'roles and groups are no scopes'),
  'CLM-04': row('robustness', 'a scope claim of another type grants nothing'),
  'CLM-05': row('RFC 9068 2.2', 'client from client_id, azp, cid, appid'),
  'CLM-07': row('MCP SDK AuthInfo', 'the SDK shape, and more, frozen'),
  'KEY-01': row('RFC 8414 2', 'keys from jwks_uri, or as configured'),
  'KEY-08': row('RFC 8414 2', 'jwks_uri is https or loopback'),
  'POP-01': row('RFC 9449 7.2', 'a DPoP-bound token as a bearer token is rejected'),
  'POP-02': row('RFC 7800 3.1', 'any other confirmation claim is rejected'),
  'POP-03': row(
    'RFC 9449 4.3',
    'a token that is bound by DPoP needs a proof for this request; each fault rejects it',
  ),
  'POP-04': row(
    'RFC 9449 9',
    'a resource with nonces accepts only proofs with one of its own that is not too old',
  ),
  'POP-05': row('RFC 9449 7', 'audience, time and scopes of a bound token are checked too'),
  'POP-06': row(
    'RFC 9728 2',
    'the metadata says which proofs are accepted, and whether tokens must be bound',
  ),
  'POP-08': row('RFC 9449 7.2', 'bearer tokens are accepted beside bound ones, unless DPoP is required'),
  'POP-09': row(
    'RFC 9110 11.1',
    'the scheme DPoP is compared without letter case, and the method of a proof with it',
  ),
  'POP-10': row('design', 'a remembered token spares no proof, and a remembered key no check of one'),
  'POP-11': row('RFC 9449 11.1', 'a proof is accepted once, and a request has one'),
  'POP-12': row('SEP-1932', 'the time of a proof is within its limit in both directions'),
  'POP-13': row(
    'design',
    'the URL of a proof is that of the configured resource, whatever Host and proxies say',
  ),
  'POP-14': row(
    'RFC 3986 6.2.2',
    'the URL of a proof is compared in normalized form, without query and fragment',
  ),
  'POP-15': row(
    'RFC 9449 8',
    'nonces need no store, survive a change of secret, and come with each rejected proof',
  ),
  'POP-16': row('design', 'used proofs are kept in a store of the application, which gets hashes only'),
  'POP-17': row(
    'RFC 9449 5',
    'the sample authorization server binds tokens to the key of a proof, in both formats',
  ),
  'POP-18': row('SEP-1932', 'the official client signs in, calls and steps up where DPoP is required'),
  'POP-19': row('RFC 9449 9', 'the official client does the same where proofs need a nonce'),
  'POP-20': row('RFC 9449 7.2', 'what was overheard of a client opens nothing: no replay, no bearer token'),
  'POP-21': row('RFC 9449 6.2', 'the confirmation of an opaque token comes from introspection'),
  'POP-22': row('design', 'the confirmation that a verifier of the application returns is checked'),
  'POP-23': row('design', 'a host that sees no proof rejects bound tokens'),
  'POP-24': row('MCP conformance, PR 395', 'each check of the scenario for servers passes'),
  'POP-25': row('RFC 9449 6.2', 'the authorization server for tests says which tokens are bound'),
  'POP-07': row('robustness', 'no header stands for a client certificate'),
} as const;

const discovery = {
  'ASM-01': row('MCP authorization server discovery', 'three locations in order for auto'),
  'ASM-02': row('RFC 8414 3.1', 'one location for oauth and for oidc'),
  'ASM-03': row('RFC 8414 3.1', 'a slash at the end is left out of the location and kept in the comparison'),
  'ASM-04': row('RFC 8414 3.3', 'the issuer is compared exactly; a mismatch ends the search'),
  'ASM-05': row('RFC 8414 2', 'an issuer is plain https, or http on loopback'),
  'ASM-06': row('robustness', 'the next location only after 4xx or what is not JSON'),
  'ASM-07': row('SSRF', 'redirects are not followed'),
  'ASM-08': row('robustness', 'limits of time and size'),
  'ASM-09': row('RFC 8414 3.2', 'a JSON object with status 200, whatever its media type'),
  'ASM-10': row('RFC 8414 2', 'what only clients need is a warning, or an error by choice'),
  'ASM-11': row('RFC 8414 2', 'endpoints that are used are absolute and https'),
  'ASM-13': row('RFC 8414 3.3', 'a metadata URL needs an issuer, given or worked out'),
  'ASM-14': row('RFC 8414 3.3', 'transpileData is awaited and its result checked'),
  'ASM-15': row('configuration', 'metadata given by hand needs no network'),
  'ASM-16': row('RFC 8414 2', 'unknown members are kept and harmless'),
  'ASM-24': row('robustness', 'requests carry Accept and no credentials'),
} as const;

const operations = {
  'SCP-01': row(MCP, 'a tool call without its scope is 403 before dispatch'),
  'SCP-02': row(MCP, 'the 403 has error, scope and resource_metadata'),
  'SCP-03': row('RFC 6750 3.1', 'a bad token is 401 whatever the scopes'),
  'SCP-04': row('RFC 6750 3.1', 'all scopes of class and method are needed'),
  'SCP-05': row(MCP, 'one challenge asks for all scopes of the operation'),
  'SCP-09': row(MCP, 'the challenge fits what the client does with its scopes'),
  'SCP-20': row(MCP, 'an undecorated operation needs a token and the scopes of the resource'),
  'SCP-24': row('robustness', 'unknown names give no hint'),
  'OPS-04': row('testing', 'the clock is injected'),
  'OPS-09': row('configuration', 'all problems of the options in one error'),
  'ORG-06': row('MCP transports', 'samples listen on loopback'),
} as const;

const features = {
  F01: row('mcp-auth', 'metadata by issuer, OpenID Connect'),
  F02: row('mcp-auth', 'metadata by issuer, RFC 8414'),
  F03: row('mcp-auth', 'the types auto, oauth and oidc, and no other'),
  F04: row('mcp-auth', 'an issuer without path'),
  F05: row('RFC 8414 3.1', 'a slash at the end of an issuer'),
  F06: row('RFC 8414 3.3', 'a document of another issuer is rejected'),
  F07: row('mcp-auth', 'metadata at an address of its own'),
  F08: row('mcp-auth', 'metadata at an address of its own, repaired'),
  F09: row('mcp-auth', 'transpileData sync, async, throwing'),
  F10: row('mcp-auth', 'metadata by hand'),
  F11: row('mcp-auth', 'keys by hand: no request at all'),
  F12: row('mcp-auth', 'a document without authorization_endpoint: a warning, or an error by choice'),
  F13: row('RFC 8414 2', 'unknown members are kept'),
  F14: row('MCP', 'stable codes for what MCP clients need'),
  F15: row('MCP', 'missing PKCE is a warning'),
  F16: row('MCP', 'no way to register is a warning, unless client ID metadata documents are supported'),
  F19: row('design', 'if a server is down, the application does not start'),
  F20: row('robustness', 'limits of time, size, redirects and scheme'),
  F21: row('robustness', 'every failure is one class with a cause'),
  F26: row('mcp-auth', 'one resource, as object or list'),
  F27: row('mcp-auth', 'a document for each of several resources'),
  F28: row('RFC 9728 3.1', 'where documents stand'),
  F29: row('RFC 9728 2', 'authorization_servers in the configured order, at least one'),
  F30: row('RFC 9728 2', 'scopes_supported is what guard and handlers ask for, or as configured'),
  F31: row('RFC 9728 2', 'every member of the RFC, checked'),
  F32: row('RFC 9728 2', 'only the header method'),
  F33: row('robustness', 'duplicates are rejected in canonical form'),
  F34: row('RFC 9728 1.2', 'what a resource identifier may be'),
  F35: row('RFC 9728 3.3', 'document, audience and challenge agree'),
  F36: row('Fetch', 'readable from any origin whatever the CORS setting of the app'),
  F37: row('RFC 9110', 'methods of the well-known routes'),
  F38: row('RFC 9728 7.10', 'caching'),
  F39: row('RFC 9728 5', 'open under a global guard'),
  F40: row('RFC 9728 3.1', 'at the origin root whatever prefix and versioning'),
  F41: row(MCP, 'root alias'),
  F42: row('RFC 9728 7.3', 'URLs from the configuration'),
  F43: row('RFC 9728 2.2', 'signed_metadata as it is'),
  F118: row('RFC 7662 2.1', 'the test server introspects for its client only'),
  F119: row('RFC 7009', 'the test server revokes'),
  F121: row('mcp-auth', 'the test server mints every kind of token'),
  F88: row('Nest', 'forRoot and forRootAsync in every form, problems listed together'),
} as const;

const verifiers = {
  'VER-01': row('design', 'a verifier of the application for one resource or for all'),
  'VER-02': row('design', 'issuer, audience, expiry and scopes are checked whatever the verifier'),
  'VER-03': row('RFC 9068 4', 'a verifier without audience is believed only when it answers for it'),
  'VER-04': row('robustness', 'a verifier that hangs is cut off with 503'),
  'VER-05': row('robustness', 'the verifier of fixed tokens rejects to start in production'),
  F77: row('MCP SDK', 'a verifier as class, object or function, sync or async, found by injection'),
  F78: row('mcp-auth', 'what a verifier returns is checked again'),
  F79: row('mcp-auth', 'null is 401, an outage 503, anything else that goes wrong 500'),
  F86: row('MCP SDK', 'verifiers of the SDK are usable here, and ours there'),
  F87: row('MCP SDK', 'a resource whose tokens cannot be verified is rejected at boot'),
  F122: row('MCP SDK', 'a verifier of fixed tokens for development'),
} as const;

/** What happens to authorization servers, their documents and keys after the start. */
const livingOn = {
  'PRM-49': row('robustness', 'the document is served while the authorization server is down'),
  'KEY-02': row(
    'operations',
    'new keys are found by the first token, removed ones rejected after the cache age',
  ),
  'KEY-03': row('robustness', 'a flood of unknown key ids costs one fetch per cooldown'),
  'KEY-04': row('robustness', 'parallel first requests cost one fetch of each document'),
  'KEY-05': row('robustness', 'a pause after each failed fetch'),
  'KEY-06': row('robustness', 'known keys serve for a bounded time while they cannot be renewed'),
  'KEY-07': row('robustness', 'limits of size, time, redirects and members of a key set'),
  'ASM-12': row('RFC 9728 7.7', 'no document of a public server points to a private address'),
  'ASM-17': row(
    'design',
    'after a failure at boot the application does not start, or it retries; no request passes meanwhile',
  ),
  'ASM-18': row('robustness', 'one dead server does not disable the others'),
  'ASM-19': row('robustness', 'metadata is renewed; a wrong document is discarded'),
  'ASM-20': row('RFC 9068 4', 'a server is trusted for the resources that list it'),
  'ASM-21': row('Entra', 'an issuer template matches nothing'),
  'ASM-22': row('RFC 8414 2.1, RFC 9728 4', 'signed_metadata is ignored, protected_resources looked at'),
  'ASM-23': row('RFC 8414 6.1', 'TLS certificates are verified'),
  'OPS-07': row('operations', 'status and ages of each authorization server'),
  'OPS-60': row('operations', 'the report has caches, queues, sessions and streams with their limits'),
  'OPS-61': row(
    'operations',
    'the report has the options in force, without secrets, addresses and functions',
  ),
  'OPS-62': row('operations', 'an explanation of a token decides as a request with it'),
  'OPS-63': row('operations', 'an explanation sends nothing, and says what it would have to ask'),
  'OPS-64': row('operations', 'an explanation holds no token and no signature, and leaves no trace'),
  'OPS-65': row('operations', 'the runbook names each reason, with its section'),
  'OPS-66': row('operations', 'the report says when a server that failed is asked again'),
  'OPS-67': row('operations', 'a proof that one replica accepted is rejected by the others'),
  'OPS-68': row('operations', 'a session goes on at another replica, for its caller alone'),
  'OPS-69': row('operations', 'a revocation at one replica ends streams at the others'),
  'OPS-70': row('operations', 'a replica that dies under load loses no session, and no answer is wrong'),
  'OPS-71': row(
    'operations',
    'while the shared store is away no proof is accepted, and calls work again after it',
  ),
  'OPS-10': row('operations', 'nothing keeps the process alive after the shutdown'),
  F17: row('mcp-auth', 'an injectable report of what was found'),
  F18: row('mcp-auth', 'lazy discovery: no request at boot, one at the first token'),
  F22: row('mcp-auth', 'metadata is fetched once for all who wait, and failures are not kept'),
  F23: row('design', 'metadata is renewed after a time'),
  F24: row('RFC 9728 2', 'several authorization servers, each asked about its own tokens'),
  F48: row('mcp-auth', 'an unknown issuer is rejected before any request'),
  F49: row('mcp-auth', 'options of the key set, unknown ones rejected'),
  F50: row('design', 'an unknown key id has the keys fetched'),
  F51: row('design', 'keys that cannot be fetched are an outage, not a bad token'),
  F52: row('mcp-auth', 'without jwks_uri and keys the app does not start'),
} as const;

const opaque = {
  'OPQ-01': row('RFC 7662 2.1', 'a form by POST, with the token in its body only'),
  'OPQ-02': row(
    'RFC 7662 2.1, RFC 6749 2.3.1',
    'the resource proves who asks: by secret, by key or by a token of its own',
  ),
  'OPQ-03': row('RFC 7662 2.2', 'active is true, and nothing else is'),
  'OPQ-04': row('RFC 7662 4', 'audience, time, issuer, scope and proof are checked as for a JWT'),
  'OPQ-05': row('RFC 7662 2.2', 'an inactive token is rejected without detail'),
  'OPQ-06': row('RFC 9110 15.6.4', 'no usable answer is 503; our own credentials are a matter for operators'),
  'OPQ-07': row('RFC 7662 4', 'a token goes to the one server that it can belong to'),
  'OPQ-08': row('robustness', 'what cannot be a token is not asked about'),
  'OPQ-09': row('RFC 7662 4', 'answers are kept only as configured, never past the token, failures never'),
  'OPQ-10': row('RFC 7662 4', 'https or loopback, no redirects, limits of time, size and requests at once'),
  'OPQ-11': row('RFC 9701 5', 'a signed answer is verified, an unsigned one does not do in its place'),
  'OPQ-12': row('RFC 7662 2.2', 'members of the answer are claims; token_type is Bearer or absent'),
  'OPQ-13': row('RFC 7662 2.2', 'an answer without exp is good and not kept, unless exp is required'),
  'OPQ-14': row('robustness', 'a JWT that fails is not introspected'),
  'OPS-08': row('operations', 'secrets given late, and shown in no log and no inspection'),
  F80: row('RFC 7662', 'introspection is built in'),
  F81: row('RFC 7662 2.2', 'what becomes of each member of the answer'),
  F82: row('SSRF', 'the endpoint is judged by its parsed host'),
  F83: row('scale', 'answers are kept when asked for; one question at a time in any case'),
  F84: row('interoperability', 'JWT and opaque tokens at one endpoint'),
} as const;

const operating = {
  'JWT-29': row('RFC 7519 4.1.7', 'a revoked token is rejected in every spelling, remembered or not'),
  'CLM-06': row(
    'RFC 7519 4.1.2, RFC 9700 4.15',
    'a principal is issuer, subject and client together; a client for itself is flagged',
  ),
  'OPS-01': row('OAuth 2.1 1.5', 'a resource is https, or http on loopback'),
  'OPS-05': row(
    'confused deputy',
    'a remembered token is good for its own resource only, and no longer than valid',
  ),
  'OPS-06': row('operations', 'what happens is told to listeners and in the log, never with a token'),
  'OPS-11': row('operations', 'one key per principal for limits and audit'),
  'OPS-20': row('operations', 'events say which operation who asked for, and whether it was allowed'),
  'OPS-21': row('operations', 'one decision, one event: a rejected request has no grant before it'),
  'OPS-22': row(
    'operations',
    'the end of an answer says the outcome of each operation as far as it is known',
  ),
  'OPS-23': row('operations', 'what a client says of itself is in events only in its form, bounded'),
  'OPS-24': row('operations', 'subject and address in events are what the application makes of them'),
  'OPS-25': row('operations', 'each event is published to a diagnostics channel of its type'),
  'OPS-26': row('operations', 'authentication and fetches are traced, without tokens and claims'),
  'OPS-27': row('operations', 'the debug line of a rejection says what was expected and what came'),
  'OPS-28': row('operations', 'without a listener no event, id, hash or clock reading is made'),
  'OPS-29': row('operations', 'the audit log of mixed calls says exactly what happened'),
  'OPS-40': row('operations', 'Prometheus gets decisions by tool and reason, verification time and state'),
  'OPS-41': row('operations', 'the dashboard queries the metrics that are served'),
  'OPS-42': row('operations', 'terminus reports authorization servers as up, degraded or down'),
  'OPS-43': row('operations', 'pino logs requests with the id of their events and without credentials'),
  'OPS-44': row(
    'operations',
    'a throttler limits addresses before, and callers and tools after authentication',
  ),
  'OPS-45': row('operations', 'the audit log has a line for each event, and rotates'),
  'OPS-46': row('operations', 'OpenTelemetry exports spans and metrics by OTLP over HTTP'),
  'OPS-47': row(
    'OpenTelemetry semantic conventions',
    'a span for each decision, with its attributes and parent',
  ),
  'SCP-30': row(
    'MCP security best practices',
    'missing scopes are told with an id that the client does not see',
  ),
  'SES-07': row('robustness', 'no state that requests share can be changed'),
  F111: row('mcp-auth', 'one log, rate-limited, without tokens'),
  F112: row('operations', 'a stream of typed events'),
} as const;

/** What attackers send, one id for each attack, and what has to hold whatever is sent. */
const attacks = {
  'JWT-04': row('RFC 8725 3.1', 'key and algorithm fit each other, by every member of the key'),
  'JWT-06': row('RFC 7515 4.1.11', 'crit that is malformed or not understood is rejected, and b64 false'),
  'JWT-10': row('injection', 'kid is compared with the fetched keys and used for nothing else'),
  'JWT-30': row('RFC 7519 4', 'of members with the same name the last counts'),
  'JWT-31': row('robustness', 'no claim changes a prototype or comes from one'),
  'CLM-08': row('RFC 8693 4.1', 'an actor is passed on and does not replace the subject'),
  'AUD-08': row(MCP, 'nothing sends the token of a request on'),
  'EXT-01': row('MCP client credentials', 'a token of a client without a user is as good as any'),
  'EXT-03': row('MCP enterprise-managed authorization', 'an ID-JAG is no access token'),
  'EXT-04': row(
    'MCP enterprise-managed authorization',
    'tokens of an unlisted identity provider are rejected',
  ),
  H02: row('confused deputy', 'a token of another resource'),
  H03: row('RFC 8725 3.11', 'another kind of token'),
  H04: row('RFC 8725 3.2', 'no signature'),
  H05: row('RFC 8725 2.1', 'the public key as a secret'),
  H06: row('RFC 8725 3.10', 'a key brought along'),
  H07: row('RFC 8725 3.8', 'keys of another issuer'),
  H14: row('robustness', 'a flood of unknown keys while the server fails'),
  H15: row('robustness', 'hostile documents of a server'),
  H16: row('RFC 7519 4.1', 'abuse of time claims'),
  H19: row('RFC 7800 3.1', 'a bound token as a plain one'),
  H20: row('RFC 4648 3.5', 'other spellings of a revoked token'),
  H28: row('RFC 7662 2.2', 'hostile answers of introspection'),
  H29: row('log forging', 'claims that look like lines of a log'),
  'OPS-02': row('robustness', 'whatever comes in, the process goes on, without a 5xx and within its memory'),
  'OPS-03': row(
    'robustness',
    'garbage is rejected in less than 5 ms; who guesses tokens can be throttled by address',
  ),
} as const;

/** Which tokens are taken, and what of them is read. */
const tokenProfile = {
  'AUD-04': row('RFC 8707 2', 'a URL above the resource is an audience only by choice, by whole segments'),
  'AUD-06': row(
    MCP,
    'the audience cannot be turned off; what takes an answer without one says so by its name, and at each start',
  ),
  F44: row('mcp-auth', 'tokens are verified by the keys of the server, without further options'),
  F45: row('mcp-auth', 'signatures by asymmetric algorithms, those configured'),
  F46: row('mcp-auth', 'exp is required, nbf and iat are looked at'),
  F47: row('mcp-auth', 'one bounded tolerance for clocks'),
  F53: row('mcp-auth', 'what is checked of a JWT has options; its issuer and audience cannot be set there'),
  F54: row('RFC 9068 2.1', 'typ of an access token, or none where the profile is lenient'),
  F55: row('RFC 9068 4', 'an ID token opens nothing'),
  F56: row('RFC 9068 2.2', 'a subject, or a client where the profile is lenient'),
  F57: row('RFC 9068 2.2', 'the first client claim that is a name'),
  F58: row('RFC 9068 2.2.3', 'every form of scope claim, each scope once'),
  F59: row('RFC 7800 3.1', 'a token that is bound to a key does not pass as a bearer token'),
  F61: row('mcp-auth', 'audiences are configured, and never none'),
  F62: row('RFC 7519 4.1.3', 'aud is a text or a list; several audiences are rejected by choice'),
  F63: row('RFC 3986 6.2', 'what makes no difference between two audiences, and what does'),
  F64: row('python-sdk', 'a URL above the resource is an audience only by choice'),
  F65: row('RFC 9068 4', 'a token without audience is rejected'),
  F66: row('mcp-auth', 'each route has its resource, with its own servers'),
  F67: row('RFC 8707 2', 'the audience is checked whatever the verifier'),
} as const;

/** Where requests may come from, and whom they may be addressed to. */
const requestOrigins = {
  'ORG-01': row('MCP 2026-07-28 transports', 'an Origin that is not allowed is 403 without a challenge'),
  'ORG-02': row('DNS rebinding', 'Origin and Host are checked before credentials, for every method'),
  'ORG-03': row(
    'RFC 6454 7',
    'a request without Origin passes; null, several, and any other text than an exact origin do not',
  ),
  'ORG-04': row(
    'RFC 6454 5',
    'origins are compared by scheme, host and port; every port only where asked for',
  ),
  'ORG-05': row('DNS rebinding', 'Host is one of those allowed; on loopback by default'),
  'ORG-07': row('Fetch', 'CORS of the MCP endpoint follows the allowed origins'),
  'ORG-08': row('RFC 9112 3.2', 'several Host lines are 400'),
  'ORG-09': row('RFC 7239 8.1', 'forwarding headers change nothing about Host and Origin'),
  'PRM-43': row('DNS rebinding', 'a metadata document is for any Origin and only for an allowed Host'),
  H13: row('DNS rebinding', 'foreign origins and hosts, with and without a good token'),
} as const;

/** How rejections look, beside what `challenges` says of the header. */
const rejections = {
  'CHL-19': row('Fetch', 'browser clients can read the challenge, and preflights need no token'),
  'CHL-20': row(
    'RFC 9449 7.1',
    'a DPoP challenge comes after the Bearer challenge and repeats nothing of it but invalid_token, to clients that used DPoP',
  ),
  'CHL-22': row(
    'RFC 9728 5.2',
    'after a change of the server, old tokens lead to the document that lists the new one',
  ),
  'CHL-23': row('RFC 6750 3', 'error_uri is an https URL of the configuration, last, and only beside error'),
  'CHL-25': row(
    'design',
    'without errorUri, error_uri is the section about the reason in development, and missing anywhere else',
  ),
  'CHL-24': row('JSON-RPC 2.0', 'a JSON-RPC body has the id of the request and a code that is free to use'),
  H11: row('injection', 'nothing that comes in changes the challenge'),
  F97: row('RFC 6750 2.1', 'one bearer token in one Authorization header, the scheme in any case'),
  F98: row('mcp-auth', '401 without credentials: scope and resource_metadata, no error'),
  F99: row('mcp-auth', '401 for a bad token: invalid_token, nothing of the reason'),
  F100: row('mcp-auth', '403: insufficient_scope with scope, resource_metadata, error_description'),
  F101: row('mcp-auth', '400 for several credentials: invalid_request'),
  F102: row('mcp-auth', '500 and 503 without a challenge, Retry-After on 503'),
  F103: row('mcp-auth', 'the clients in use read every challenge as it is meant'),
  F104: row('mcp-auth', 'CORS headers that let browsers read the challenge'),
  F105: row(
    'mcp-auth',
    'the reason is in the body only by choice, and never a token, a claim or an error text',
  ),
  F106: row('mcp-auth', 'stable codes and classes, toJSON, and a challenge that filters leave where it is'),
  F107: row('mcp-auth', 'the body is OAuth JSON, or JSON-RPC by choice'),
} as const;

/** What was left of the verification engine, and what it leaves to others. */
const engineRest = {
  'PRM-24': row(
    'RFC 9728 2',
    'scopes_supported is the least set where it is configured (F30 says what it is by default); scopes that cover everything are warned of',
  ),
  'PRM-30': row('RFC 9728 7', 'the document holds issuers and nothing else of an authorization server'),
  F85: row('OpenID Connect Core 5.3', 'tokens verified by userinfo: a recipe that says what it cannot check'),
  F120: row('mcp-auth', 'the login pages of the sample: escaped, with credentials from the environment'),
} as const;

/** Rows of the features and of the attacks that others prove by their own ids. */
const sameByOtherNames = {
  F110: row('mcp-auth', 'a token in the query is never used, and rejected beside one in the header'),
  F113: row('mcp-auth', 'configured URLs are https, or http on loopback'),
  H12: row('host poisoning', 'Host and forwarding headers change no URL'),
} as const;

const perOperation = {
  'SCP-06': row(MCP, 'a broader scope passes for a narrower one, by configuration without circles'),
  'SCP-07': row('MCP security best practices', 'a challenge names what is needed, not what includes it'),
  'SCP-13': row(
    'MCP 2025-06-18 changelog',
    'a batch is checked as a whole, and rejected in versions without batches',
  ),
  'SCP-14': row('robustness', 'a call without an id is checked like one with an id'),
  H01: row('batch smuggling', 'a call in a batch'),
  'SCP-21': row(
    MCP,
    'tools, prompts, resources, templates, completions, subscriptions and requests for tasks are checked',
  ),
  'SCP-26': row(MCP, 'scopes by arguments and caller, before dispatch; a function that fails denies'),
  F69: row('design', 'one of several scopes'),
} as const;

/** Who is calling: the token, callers without one, and the caller wherever code asks. */
const callers = {
  'TOK-11': row(MCP, 'a token is ignored on an open route, and rejected when bad on one for anybody'),
  'TOK-12': row('RFC 6750 5.3', 'the token is in no log line, body, serialisation or copy'),
  F75: row('mcp-auth', 'a route or a resource that takes anonymous callers still rejects a bad token'),
  F89: row('MCP SDK', 'req.auth is the caller in the shape of the SDK'),
  F90: row('robustness', 'a foreign req.auth is told of once and overwritten; rejected requests keep none'),
  F91: row('MCP SDK', 'the caller is the same object in routes, tools and handlers of the SDK'),
  F92: row('python-sdk', 'in a session the caller is that of the request, not of the session'),
  F94: row('mcp-auth', 'the caller is known to any service in the course of a request, and to none outside'),
  F95: row('mcp-auth', 'the token does not show when the caller is printed, copied or serialised'),
  H10: row('RFC 6750 3.1', 'two credentials, of which hops may take different ones'),
  H21: row('robustness', 'long headers and patterns that backtrack'),
  H26: row('robustness', 'callers of requests that run at the same time'),
} as const;

/** Clients from before RFC 9728, and routes that stand where clients do not look. */
const legacyClients = {
  'PRM-64': row('RFC 9728 3.3', 'guarded routes elsewhere than the resource says give a warning at boot'),
  H27: row('RFC 9728 3.1', 'no spelling of another path leads to a document'),
  F25: row('MCP 2025-03-26', 'a copy of the metadata of an authorization server, on demand'),
  F123: row('MCP 2025-03-26', 'a client that knows no RFC 9728 finds the authorization server by that copy'),
  'LEG-01': row('MCP 2025-03-26', 'the copy is the document of the server, at the root of the origin'),
  'LEG-02': row(
    'MCP 2025-03-26',
    'the copy has the rules of resource documents, and leaves its path to a route of the application',
  ),
  'LEG-03': row('robustness', 'with several servers the one to copy is named, or the app does not start'),
  'LEG-04': {
    source: 'MCP 2025-03-26',
    behaviour: 'default endpoints are passed on to the authorization server',
    deferred:
      'by design: /authorize, /token and /register are never proxied, as secrets would go another way',
  },
  'LEG-05': row('RFC 8707 2', 'tokens of old clients need a configured audience, as all others'),
  'LEG-06': row('MCP 2025-06-18 transports', 'a request without a protocol version is one of 2025-03-26'),
  'LEG-07': row('RFC 6750 3.1', 'the same 401 whatever the protocol version'),
  'LEG-08': row('MCP 2025-06-18', 'clients that look only at the bare well-known path have the root alias'),
  'LEG-09': row('RFC 8414 3', 'an authorization server on the origin of the resource works for all clients'),
  'LEG-10': row('interoperability', 'with the copy on, old clients and current ones connect'),
} as const;

/** The authorization server of the samples, and samples of whole flows. */
const sampleServers = {
  F115: row(
    'mcp-auth',
    'the sample authorization server: metadata, codes, rotating refresh tokens, keys, iss',
  ),
  F116: row(
    'RFC 6749 4.1, RFC 7636',
    'PKCE is required; codes are good once, soon, and for their redirect URI',
  ),
  F117: row('RFC 7591', 'clients register themselves, with https or loopback redirect URIs only'),
  F125: row('mcp-auth', 'a client of official packages goes the whole way, with step-up and refresh'),
} as const;

/** Ways to put the package into an application, and what such applications are like. */
const mounting = {
  'SCP-29': row('design', 'a handler without an authenticated HTTP request is denied'),
  F108: row('design', 'the same answers by guard, global guard, middleware and early authentication'),
  F109: row('mcp-auth', 'scopes of a route: those of class and method, each route its own'),
  F114: row('design', 'Express and Fastify alike, and a handler that throws is never a hang'),
} as const;

/** Scopes of single operations, whatever the transport. */
const operationScopes = {
  'SCP-12': row('robustness', 'a body that the guard cannot read runs no handler with scopes'),
  'SCP-27': row(MCP, 'scopes are checked with every request of a session'),
  F68: row('design', 'several scopes are all needed'),
  F70: row('MCP SDK', 'scopes of each tool, prompt and resource, decided from the body before dispatch'),
  F71: row(MCP, 'one challenge names all scopes that are needed'),
  F72: row(MCP, 'a broader scope passes for a narrower one, where the options say so'),
  F76: row('design', 'nothing but the scopes of the resource where a handler asks for none'),
  H17: row('robustness', 'scope claims of wrong types, in other claims, and token-type-confusion'),
  H18: row('robustness', 'names of prototypes, other spellings and other readings of the body'),
  H23: row('robustness', 'a call inside a response, and one that is written as a response'),
} as const;

/** Sessions of MCP 2025-11-25 and before, and what stands for them in 2026-07-28. */
const sessions = {
  'SES-01': row('MCP security best practices', 'a session id is no credential'),
  'SES-02': row('MCP security best practices', 'a session exists for the caller that opened it only'),
  'SES-03': row('MCP 2025-11-25 transports', 'session ids are random, and visible ASCII'),
  'SES-04': row('MCP 2026-07-28 transports', 'there are no sessions: their headers are ignored'),
  'SES-05': row('MCP security best practices', 'handles that a tool gives out are bound to the caller'),
  'SES-06': row(
    'MCP 2026-07-28',
    'the state of a request in several rounds is bound to caller, time and tool',
  ),
  'SES-08': row('robustness', 'streams of MCP 2024-11-05 need a token, and are bound to the caller'),
  'SES-30': row(
    'design',
    'a sealed session id is opened for its caller at its resource only, and the transport gets its own id',
  ),
  'SES-31': row('design', 'each process with the secret knows whose session it is, also after a restart'),
  'SES-32': row('design', 'a secret is replaced without losing a session: both open, the first seals'),
  'SES-33': row('design', 'a sealed session that was opened without a token passes to no caller'),
  'SES-34': row('robustness', 'a changed session id or code is answered as an unknown session'),
  'SES-35': row(
    'robustness',
    'secrets that are short, missing or the same twice fail startup, and none is printed',
  ),
  'SES-36': row('MCP 2025-11-25 transports', 'official clients use and end sessions with sealed ids'),
  F93: row('python-sdk', 'the session of another caller is answered as an unknown one'),
  H09: row('robustness', 'session ids of others, and without a token'),
  H22: row('robustness', 'messages to the stream of another caller'),
  H30: row('robustness', 'handles and states of another caller'),
} as const;

/** What a handler rejects itself, and streams. */
const streams = {
  'SSE-01': row(MCP, 'a scope that a handler finds missing is the 403 of a rejection before it'),
  'SSE-02': row(MCP, 'within a stream that has begun it is an error that names the scopes, and the end'),
  'SSE-03': row('RFC 6750 3.1', 'streams end with their token, and an expired one opens none'),
  'SSE-04': row(MCP, 'a stream tells nothing of resources that its token may not read'),
  'SSE-05': row('robustness', 'streams that clients leave, and rejections, leave nothing behind'),
  F60: row('RFC 6750 3.1', 'a stream ends when the token that opened it does'),
  F73: row(MCP, 'a handler asks for scopes that it finds missing: 403, or an error of the tool'),
  H24: row('robustness', 'a scope that is found missing once a stream has begun'),
  H25: row('robustness', 'a token that expires on a stream that runs, and comes again'),
} as const;

/** What real clients do on each transport. */
const realClients = {
  'EXT-02': {
    source: 'MCP authorization extensions',
    behaviour: 'extensions are named in the answer to server/discover',
    deferred:
      'server/discover is answered by the transport; a server names extensions in its own capabilities',
  },
  'EXT-05': row('MCP client credentials', 'a client that acts for itself gets the same 403 as a person'),
} as const;

/** The programs of test/clients at a deployment of @rekog/mcp-nest and one of the official SDK, with oidc-provider. */
const clientPrograms = {
  'CLI-50': row('MCP clients', 'each program registers itself, signs in and calls a tool'),
  'CLI-51': row('MCP scope selection', 'each program gets the scopes of the challenge or of the metadata'),
  'CLI-52': row('MCP clients', 'each program refreshes by itself after 401 invalid_token'),
  'CLI-53': row('MCP clients', 'what each program does at a step-up is known'),
  'CLI-54': row('MCP 2025-11-25 transports', 'a session outlives refresh and step-up of its program'),
  'CLI-55': row('RFC 9449', 'no program sends a DPoP proof unless it is told to'),
  'CLI-56': row('MCP clients', 'each program signs in with a client ID that it was given'),
  'CLI-57': row('MCP client ID metadata documents', 'what each program does with a document is known'),
  'CLI-58': row('clients in use', 'the official client v1 steps up if it has no refresh token'),
  'CLI-59': row('documentation', 'the page of clients says of each program what was measured'),
  'CLI-60': row('documentation', 'the page of clients names the versions of the programs that are run'),
  'CLI-61': row('documentation', 'README and the page of clients name the same clients'),
  'CLI-63': row(OPENAI, 'each program takes a list whose tools have securitySchemes as a member'),
  'CLI-62': row(
    'documentation',
    'the client configurations of the page of clients are valid and name one server',
  ),
} as const;

/** Lists of what there is, and ways in that are not HTTP. */
const listsAndLocalCalls = {
  'SCP-23': row(
    'MCP 2026-07-28 server/tools',
    'lists hide what a token does not open, as private to their caller, and are no access control',
  ),
  F74: row('design', 'the option listPolicy, on every transport'),
  'STD-01': row(
    MCP,
    'stdio has no tokens: handlers run for the configured caller, or are rejected by a JSON-RPC error',
  ),
  'STD-02': row('design', 'a missing HTTP request does not prove stdio: the transport itself has to say so'),
  'STD-03': row(MCP, 'callers that a transport vouches for: their time, resource and scopes are checked'),
  'STD-04': row('design', 'without HTTP, no tokens are verified'),
  F96: row('design', 'the option stdio, denied by default'),
} as const;

/** What stands before handlers, and what is known of them at bootstrap. */
const audit = {
  'SCP-08': row(MCP, 'offline_access among the scopes of a handler is told of at boot, and never asked for'),
  'SCP-10': row('MCP 2026-07-28 streamable HTTP', 'headers that disagree with the body are 400 with -32020'),
  'SCP-11': row('MCP 2026-07-28 streamable HTTP', 'older messages are checked by their body only'),
  'SCP-22': row(MCP, 'methods that run no handler need the scopes of the resource, known or not'),
  'SCP-25': row(
    'robustness',
    'undeclared tools need the scopes of the resource, or are denied without a hint',
  ),
  H08: row('robustness', 'headers of one call and the body of another, duplicated and encoded ones'),
  'SCP-28': row(
    'robustness',
    'a route that a transport mounts itself is authenticated early, or the app does not start',
  ),
} as const;

/** Ways past the guard that were found and closed, and traps that first users fell into. */
const waysIn = {
  'WAY-01': row('RFC 9112 3.2', 'a request target in no form of RFC 9112 is 400 before its path is read'),
  'WAY-02': row('robustness', 'the middleware checks the scopes of the called tool, or rejects the request'),
  'WAY-03': row(
    'robustness',
    'scopes of stacked and inherited @RequireScopes() add up; an empty list is an error',
  ),
  'WAY-04': row('robustness', 'a scope function sees every reading of a URI that reaches the same handler'),
  'WAY-05': row('RFC 8707 2', 'a tool of one resource rejects tokens of another resource'),
  'WAY-06': row('robustness', 'an MCP endpoint without a guard does not start, however it is written'),
  'WAY-07': row(
    'MCP 2024-11-05 HTTP with SSE',
    'a stream is bound to its caller, however its endpoint event is written',
  ),
  'WAY-08': row('robustness', 'BearerAuthMiddleware covers what is below its path on both platforms'),
  'WAY-09': row('robustness', 'early authentication covers routes that an Express instance already has'),
  'WAY-10': row('robustness', 'the middleware serves metadata documents itself; no handler sees their paths'),
  'WAY-11': row('robustness', 'a tool that no source declares is denied once a source declares any'),
  'WAY-12': row(
    'OpenID Connect Core 5.7',
    'a verifier without an issuer gives principals of no authorization server',
  ),
  'WAY-13': row('robustness', 'the operations of one message are bounded'),
  'WAY-14': row('robustness', 'random opaque tokens fill neither the introspection queue nor its cache'),
  'WAY-15': row('robustness', 'the share of sessions is counted by issuer and subject'),
  'WAY-16': row(
    'robustness',
    'with handlers to protect, a body that was not parsed is rejected whatever its type',
  ),
  'WAY-17': row('robustness', 'test doubles start in test and development, or on explicit request'),
  'WAY-18': row('robustness', '@SkipBearerAuth() is not inherited'),
  'WAY-19': row('availability', 'discovery is retried in the background while a server is down'),
  'WAY-20': row('usability', 'the package works in jest, on CommonJS projects of Nest 11'),
  'WAY-21': row('usability', 'a versioned endpoint that differs from its resource gives a warning at boot'),
  'WAY-22': row('usability', 'a second McpAuthModule fails startup'),
  'WAY-23': row(MCP, 'the 401 of an anonymous caller names the scopes of the called operation'),
  'WAY-24': row('usability', 'messages name what was found, what was expected and the fix'),
  'WAY-25': row('secrecy', 'log lines of the package are written outside of a request'),
  'WAY-26': row('usability', 'an operation is authorized once, as it was sent'),
  'WAY-27': row('RFC 7662 2.2', 'a 400 unsupported_token_type of an introspection endpoint is 401, not 503'),
  'WAY-28': row('usability', 'an anonymous session passes to its first caller once'),
  'WAY-29': row('RFC 6749 2.3.1', 'rejected introspection credentials: the log names client_secret_post'),
  'WAY-30': row(
    'interoperability',
    'a failed signature under a known key id costs one key fetch per cooldown',
  ),
  'WAY-31': row('secrecy', 'no timer, queue or shared promise carries the async context of a request'),
  'WAY-32': row(
    'robustness',
    'a handler of a transport does not run for a request that was not authenticated',
  ),
  'WAY-33': row('RFC 7515 2', 'a JWT has one spelling: base64 padding and unused bits are rejected'),
  'WAY-34': row('operation', 'the first failed fetch of keys emits discovery_failed'),
  'WAY-35': row('robustness', 'an @Sse() observable is unsubscribed when its stream ends at expiry'),
  'WAY-36': row('usability', 'a resource that no guarded route serves is not called protected in the log'),
  'WAY-37': row('usability', 'option errors suggest names of other libraries and name the wrong member'),
  'WAY-38': row('robustness', 'the path, mounting and attack suites pass on the lowest and newest Nest 11'),
  'WAY-41': row('robustness', 'no message of a body vouches for the arguments of another one'),
  'WAY-42': row('robustness', 'a body that is nested too deeply to be compared is authorized again'),
  'WAY-43': row('robustness', 'the owner with most sessions loses sessions before owners with few'),
  'WAY-44': row('usability', 'a rejected sign-in leaves an anonymous session with its client'),
  'WAY-45': row('robustness', 'no part of a long request target is kept in memory'),
} as const;

const onePath = {
  'RTR-01': row('design', 'a tool call is authenticated once and authorized once, whatever layers it passes'),
  'RTR-05': row(
    'design',
    'what one layer has authorized does not authorize what a later one needs beside it',
  ),
  'RTR-06': row('design', 'what is known for one resource counts for no other: caller, Host and Origin'),
  'RTR-07': row('design', 'a rejected request has no caller, and the layer that rejects it answers it'),
  'RTR-03': row(
    'design',
    'a session id that middleware sets after early authentication is bound like any other',
  ),
  'RTR-04': row('design', 'a request with an unreadable body needs the scopes of the resource'),
  'RTR-02': row('design', 'a body that middleware changes after it was authorized is authorized again'),
} as const;

/** What the clients that people use need beyond the specification. */
const clients = {
  'CLI-01': row('field', 'challengeScopes chooses what a 401 asks for; the 403 names what is missing'),
  'CLI-02': row('field', 'by default, the 401 names all scopes of the called operation, if its body is read'),
  'CLI-03': row(OPENAI, 'lists of tools say by securitySchemes which scopes each tool needs'),
  'CLI-04': row(OPENAI, 'securitySchemes say noauth only of tools that run without a token'),
  'CLI-05': row('interoperability', 'the official clients take lists with securitySchemes'),
  'CLI-06': row('design', 'no answer except that to tools/list is read for securitySchemes'),
  'CLI-07': row(OPENAI, 'toolChallenge answers a tool call without a token or scopes with a result'),
  'CLI-08': row(OPENAI, 'what is no tool call, and every bad token, is rejected by HTTP in any case'),
  'CLI-09': row(OPENAI, 'a handler that finds scopes missing gives the same result, in a stream too'),
  'CLI-10': row(OPENAI, 'a function chooses the form; the preset knows the clients of OpenAI'),
  'CLI-11': row('operation', 'events and onUnauthorized report a challenged tool call as a rejection'),
  'CLI-12': row(OPENAI, 'the sample serves ChatGPT and the official client with public and protected tools'),
} as const;

const notOffered = (source: string, behaviour: string, deferred: string) => ({ source, behaviour, deferred });

/** Tokens that are bound to a TLS certificate. */
const mutualTls = {
  'POP-30': row(
    'RFC 8705 3',
    'a token of the certificate of the TLS connection is accepted, with each request',
  ),
  'POP-31': row('RFC 8705 3.1', 'x5t#S256 is compared exactly; other confirmations are rejected'),
  'POP-32': row('RFC 8705 3', 'without mutualTls, tokens that are bound to a certificate are rejected'),
  'POP-33': row('RFC 8705 6.2', 'with required, tokens that are bound to no certificate are rejected'),
  'POP-34': row('RFC 9440 2', 'a proxy passes one certificate on: percent-encoded PEM, XFCC or RFC 9440'),
  'POP-35': row('RFC 9440 4.1', 'the header counts only from the address of a trusted proxy'),
  'POP-36': row('RFC 9728 2', 'tls_client_certificate_bound_access_tokens follows the option'),
  'POP-37': row('design', 'a wrong header, form or address of a proxy fails the start'),
  'POP-38': row('RFC 7800 3.1', 'a token that is bound to a certificate and to a key needs both proofs'),
} as const;

/** How the user has authenticated. */
const userAuthentication = {
  'STP-01': row('RFC 9470 3', 'weak or old authentication is 401 insufficient_user_authentication'),
  'STP-02': row('RFC 9470 3', 'the challenge has acr_values in preference order and max_age, both quoted'),
  'STP-03': row('RFC 9470 3', 'weak authentication comes before missing scopes'),
  'STP-04': row('design', 'each operation and route asks for its own; class and method, and a batch, add up'),
  'STP-05': row('RFC 9470 6.1', 'acr is compared exactly; a missing or odd auth_time counts as too old'),
  'STP-06': row('design', 'a requirement that is wrong, or that no acr satisfies, fails the start'),
  'STP-07': row('design', 'without a token, and over stdio, what asks for an authentication is denied'),
  'STP-08': row('operation', 'JSON-RPC bodies, tool results, filters and events say it too'),
  'STP-09': row('design', 'it holds for handler sources, the SDKs, early authentication and every verifier'),
  'STP-10': row(
    'operation',
    'the log says which authentication was asked for, and nothing that the token has',
  ),
} as const;

/** Policies: denials that no scope cures. */
const policies = {
  'PCY-01': row('design', 'a denial is 403 access_denied with the reason policy, without a challenge'),
  'PCY-02': row('design', 'scopes and the authentication of the user come before policies'),
  'PCY-03': row('design', 'policies of method, class, overridden methods and resource add up'),
  'PCY-04': row('design', 'only true allows: no other value, promise or thenable does'),
  'PCY-05': row('design', 'a policy that throws denies with 500, and the log has no claim value'),
  'PCY-06': row('design', 'a policy that gives no answer in time denies with 503, and its signal is aborted'),
  'PCY-07': row('design', 'errors of this package keep their meaning if a policy throws them'),
  'PCY-08': row('design', 'a policy gets the operation as sent and its annotations, and can change neither'),
  'PCY-09': row('design', 'a policy decides once per operation and request, and again if the body changes'),
  'PCY-10': row('design', 'a batch is denied if one of its operations is'),
  'PCY-11': row('design', 'policies of a resource hold on every way to mount it'),
  'PCY-12': row('design', 'a policy that cannot decide fails the start, and the message says the fix'),
  'PCY-13': row('design', 'listPolicy hide leaves out what a policy denies, or cannot decide in time'),
  'PCY-14': row('design', 'completions and subscriptions follow the policies of their handler'),
  'PCY-15': row('design', 'AuthContext.can() asks a policy, and allows nothing by mistake'),
  'PCY-16': row('design', 'policies hold over stdio and for callers that a transport supplies'),
  'PCY-17': row('design', 'handler sources name policies and annotations for servers of the SDK'),
  'PCY-18': row('design', 'a policy decides on each way in which a URI may be read'),
  'PCY-19': row('design', 'a client that leaves while a policy decides harms nothing, and nothing runs'),
  'PCY-20': row('design', 'arguments that are nested too deeply for a policy are 400'),
  'PCY-21': row('design', 'a caller without a token is asked to sign in before a policy decides'),
  'PCY-22': row('design', 'without a promise of a policy, nothing is awaited'),
  'PCY-23': row('samples', 'roles from a claim decide'),
  'PCY-24': row('OpenID AuthZEN 1.0', 'an external decision point decides, and fails closed'),
  'PCY-25': row('design', 'a tool is known by the name that it is listed under, on each of several servers'),
  'PCY-26': row(
    'design',
    'over stdio, a policy of one resource changes nothing for handlers without policies',
  ),
} as const;

/** What is not promised yet. */
const left = {
  F127: notOffered(
    'MCP extensions',
    'identity assertions, DPoP and client metadata documents at the authorization server',
    'an authorization server does these; this is a resource server',
  ),
} as const;

const sampleApps = {
  F124: row('design', 'settings come from the environment by ConfigModule; the library reads none'),
  F126: row(
    'mcp-auth samples',
    'whoami tells each caller who it is; todos have scopes and owners, tool by tool',
  ),
} as const;

/** Sign-in at the first protected tool, and code that reads `req.user`. */
const publicLifecycle = {
  'CLI-20': row('MCP Apps, authorization', 'with anonymousMethods, clients connect and list without a token'),
  'CLI-21': row(
    'MCP Apps, authorization',
    'sign-in begins at the first protected tool, for all scopes of the call',
  ),
  'CLI-22': row(
    'design',
    'with anonymousMethods, handlers run without a token only by a declaration of their own',
  ),
  'CLI-23': row('RFC 6750 3.1', 'anonymousMethods do not change what a token needs'),
  'CLI-24': row('MCP 2025-03-26 transports', 'a batch needs no token only if no message in it needs one'),
  'CLI-25': row('JSON-RPC 2.0 4', 'methods are compared exactly, and only messages are open'),
  'CLI-26': row('design', 'with anonymousMethods, unread bodies, other bodies and plain routes need a token'),
  'CLI-27': row(
    'MCP 2025-11-25 transports',
    'a stream without token and session is 405, other requests are 401',
  ),
  'CLI-28': row('interoperability', 'a session lives through sign-in, and its streams do not'),
  'CLI-29': row(
    'interoperability',
    'the official clients connect, list and sign in at the first protected tool',
  ),
  'CLI-30': row('design', 'anonymousMethods that would open handlers fail startup'),
  'CLI-31': row(
    'Passport',
    'by requestUser, code that reads req.user finds the caller; without it nothing is set',
  ),
  'CLI-32': row('design', 'req.user vanishes with the caller, and no value of other code stands for one'),
  'CLI-33': row('@rekog/mcp-nest', 'its @ToolScopes(), @ToolRoles() and list filter work behind the guard'),
  'CLI-34': row('design', 'a property that requests have anyway fails startup'),
  'CLI-35': row(
    'design',
    'if toUser throws or returns a promise, the response is 500 and the request is not authenticated',
  ),
  'CLI-36': row('design', 'a boot warning says what decides beside decorators of @rekog/mcp-nest'),
  'CLI-37': row(
    'RFC 7591 2',
    'the log names servers that may pin scopes at registration when the application starts',
  ),
  'CLI-38': row('design', 'each warning of this kind names a section that exists'),
  'CLI-39': row(
    'design',
    'a property of a request that cannot be written is 500, and no caller of other code',
  ),
  'CLI-40': row('secrecy', 'toUser gets a caller without the token'),
} as const;

/** The command `nestjs-mcp-auth doctor`. */
const doctor = {
  'DOC-01': row('design', 'the doctor finds nothing wrong with a right deployment, on Express and Fastify'),
  'DOC-02': row('design', 'each wrong deployment has its finding, with the cure and a link'),
  'DOC-03': row('design', 'the documentation lists every finding of the doctor'),
  'DOC-04': row(
    'design',
    'the doctor explains each claim of a token, and decodes tokens on this machine only',
  ),
  'DOC-05': row('secrecy', 'tokens and headers of the user go to the resource only, and are never printed'),
  'DOC-06': row('design', 'the doctor calls with the token by both eras of MCP, and explains rejections'),
  'DOC-07': row(
    'MCP authorization',
    'the doctor signs in with the official client, lists tools, and steps up',
  ),
  'DOC-08': row('design', 'without the official client, the doctor says how to install it'),
  'DOC-09': row(
    'hostile inputs',
    'servers cannot keep the doctor waiting, fill its memory or write to the terminal',
  ),
  'DOC-10': row(
    'design',
    'the doctor follows no redirects and fetches no private address that a public server names',
  ),
  'DOC-11': row(
    'design',
    'exit codes are 0 without errors, 1 with errors, 2 for wrong usage and unreachable servers',
  ),
  'DOC-12': row('design', 'JSON output has a stable schema, and text output colors on terminals only'),
  'DOC-13': row('design', 'a certificate that is not trusted is named with its cure, and --ca trusts it'),
  'DOC-14': row('design', 'each client family of the clients page has a verdict'),
  'DOC-15': row('design', 'the installed command runs without Nest and without an application'),
  'DOC-16': row('design', 'the documentation shows what the doctor prints about "npm start"'),
  'DOC-17': row('RFC 9110 11.6.1', 'challenges are parsed exactly by their grammar'),
  'DOC-18': row('design', 'options that are wrong are named, and values are not printed'),
} as const;

/** What replicas of an application must know together. */
const replicas = {
  'POP-40': row(
    'RFC 7519 4.1.7',
    'with oneTimeTokens, a token is accepted for one request, at all resources together',
  ),
  'POP-41': row(
    'design',
    'the store in memory, and that in Redis with each client, fulfil the contract of replay stores',
  ),
  'POP-42': row(
    'design',
    'the contract suite fails replay stores that are not atomic, lie, forget or never forget',
  ),
  'POP-43': row('robustness', 'the replay store in memory is bounded, and rejects instead of forgetting'),
  'POP-44': row('robustness', 'a replay store whose answer is no boolean lets nothing pass: 500'),
  'POP-45': row('robustness', 'a replay store that throws, is full or does not answer in time is 503'),
  'POP-46': row(
    'RFC 7519 4.1.7',
    'with oneTimeTokens, tokens without jti or an expiry within 31 days are rejected',
  ),
  'POP-47': row('design', 'all layers of one request use its one-time token once'),
  'POP-48': row('robustness', 'a token that fails another check is not used up by that'),
  'POP-49': row('design', 'in production, several replicas without a shared store fail startup'),
  'POP-50': row('secrecy', 'a replay store gets hashes: no token, issuer or jti'),
  'POP-51': row(
    'robustness',
    'while Redis is away, hangs or is slow, requests get 503 in time and nothing is queued',
  ),
  'POP-52': row('design', 'a client of Redis of an unknown kind is rejected when the store is made'),
  'POP-53': row(
    'design',
    'the replay store in Redis fits the clients of node-redis 5 and 6, ioredis 5 and 6, and iovalkey',
  ),
  'POP-60': row(
    'design',
    'the list in memory, and that in Redis with each client, fulfil the contract of revocation lists',
  ),
  'POP-61': row(
    'design',
    'the contract suite fails revocation lists that cover too little or too much, or forget',
  ),
  'POP-62': row('design', 'isRevoked of a list rejects revoked tokens at all replicas, without asking Redis'),
  'POP-63': row(
    'robustness',
    'a list that has not heard of Redis for too long is 503, and never passes a token',
  ),
  'POP-64': row('robustness', 'a list finds what it missed while it was not connected'),
  'POP-65': row('robustness', 'Redis that lost its data gets revocations back from running replicas'),
  'POP-66': row('design', 'McpAuthStreams ends the open streams of a token or a principal, and no others'),
  'POP-67': row('robustness', 'a stream that opens after the revocation of its token is ended too'),
  'POP-68': row('design', 'a revocation at one replica ends the streams at another'),
  'POP-80': row(
    'robustness',
    'a client that fills its share of the replay store in memory gets 503, and others go on',
  ),
  'POP-81': row('design', 'a revocation covers the same tokens in a list and among open streams'),
  'POP-82': row('robustness', 'a revocation list stores no more than its limit, and tells so each time'),
  'POP-83': row('robustness', 'a revocation list whose clock fails forgets nothing'),
  'POP-86': row('robustness', 'a list notices each message that it has missed, and reads no more than that'),
  'POP-85': row('robustness', 'a listener for revocations that fails, now or later, stops nothing'),
  'POP-84': row(
    'robustness',
    'revocations that Redis has lost are written back many at a time, while requests are answered',
  ),
  'POP-70': row('RFC 7797 7.1', 'a proof has three parts of base64url: no padding, no unencoded payload'),
  'POP-71': row('design', 'settings by which sessions are unknown to other replicas are named at startup'),
  'POP-72': row('RFC 8705 3', 'events say that a token was bound to the certificate of its TLS connection'),
  'POP-74': row('design', 'a range of proxies that includes every IPv4 address fails the start'),
  'POP-73': row('RFC 9449 4.3', 'a request of HTTP/2 has one proof, for the configured resource'),
} as const;

/** API keys, composed verifiers and the clients of a resource. */
const keysAndClients = {
  'AKY-01': row(
    'design',
    'an API key authenticates by the header of the option, beside tokens, and by no other header',
  ),
  'AKY-02': row('design', 'an API key is never a bearer token, and a token is never a key'),
  'AKY-03': row('RFC 6750 2', 'a key beside another credential, or a second key, is 400 invalid_request'),
  'AKY-04': row(
    'design',
    'a wrong key is 401 invalid_token, a missing one the usual 401; challenge and metadata do not change',
  ),
  'AKY-05': row(
    'design',
    'the issuer of a caller with a key is that of the option, whatever its verifier returns',
  ),
  'AKY-06': row(
    'design',
    'audience, times, subject and bindings of keys are checked as those of other verifiers; exp is optional',
  ),
  'AKY-07': row('design', 'scopes of the resource and of operations hold for callers with a key'),
  'AKY-08': row('design', 'a session belongs to the owner of a key: no other key and no token enters it'),
  'AKY-09': row('robustness', 'what cannot be a key is rejected before its verifier runs'),
  'AKY-10': row(
    'robustness',
    'a verifier of keys that throws, hangs or returns anything else authenticates no caller',
  ),
  'AKY-11': row(
    'design',
    'keys are cached only if their verifier allows it, apart from tokens, and revoked as tokens are',
  ),
  'AKY-12': row('design', 'a header with another meaning, and an issuer of other subjects, fail startup'),
  'AKY-13': row('design', 'keys beside required bindings fail startup'),
  'AKY-14': row('design', 'preflights allow the header of keys where there are keys, and nowhere else'),
  'AKY-15': row('design', 'a key is in no event, no log line and no caller'),
  'AKY-16': row('design', 'keys work by each transport and each way to mount the package'),
  'AKY-17': row(
    'design',
    'firstOf() takes the first claims, and turns no outage and no fault into an invalid token',
  ),
  'AKY-18': row('design', 'firstOf() composes classes, objects, functions and the verifier of the package'),
  'AKY-19': row('design', 'each resource has its own header of keys, and ignores those of others'),
  'AKY-20': row('design', 'the sample finds keys by their hash, shows each once, and gives each its scopes'),
  'CRL-01': row('design', 'allowedClients allows ids that are exactly equal, and no others'),
  'CRL-02': row('design', 'allowedClients allows URLs of an origin, and none that only looks like one'),
  'CRL-03': row(
    'design',
    'any other client is 403 access_denied without a challenge, after authentication and before scopes',
  ),
  'CRL-04': row('design', 'a token that names no client, or several, is rejected'),
  'CRL-05': row('design', 'a client that is not allowed gets no list, no stream and no session'),
  'CRL-06': row('design', 'client rules hold by each transport and each way to mount the package'),
  'CRL-07': row(
    'design',
    'client rules hold for callers over stdio, and for those that a transport supplies',
  ),
  'CRL-08': row(
    'design',
    'client rules hold for callers with an API key, by the client that its verifier names',
  ),
  'CRL-11': row('design', 'the back end of the sample downstream serves the MCP server, and no other client'),
  'CRL-09': row('design', 'client rules that allow no client, and origins that are none, fail startup'),
  'CRL-10': row('design', 'hosts of ResourceTokenVerifier reject the token of a client that is not allowed'),
} as const;

const downstream = {
  'DWN-01': row(
    'RFC 8693 2.1',
    "the caller's token goes to its own server, in the body only, and the new one is for the target",
  ),
  'DWN-02': row(
    'Microsoft, on-behalf-of flow',
    'the preset of Entra sends an assertion, and the scopes name the service',
  ),
  'DWN-03': row('RFC 6749 2.3', 'the resource authenticates by secret or by key, or startup fails'),
  'DWN-04': row('design', 'calls for one caller and target at once are one request'),
  'DWN-05': row('design', "a token is cached, and never past its own expiry or that of the caller's token"),
  'DWN-06': row('design', 'another caller, target or set of scopes never gets a cached token'),
  'DWN-07': row('RFC 6749 5.2', "the server's error reaches the handler, if its code is well-formed"),
  'DWN-08': row(
    'RFC 9110 15.6.4',
    'a server that does not answer is 503 with Retry-After, on routes and in tools',
  ),
  'DWN-09': row(
    'RFC 8693 2.2.1',
    'an answer that is no bearer access token is a fault that names what is wrong',
  ),
  'DWN-10': row('SSRF', 'https or loopback, no private addresses, no redirects, limits of time and size'),
  'DWN-11': row('design', 'without a caller or the option, the error says so'),
  'DWN-12': row('design', 'a caller whose token was revoked during the request gets none, cached or not'),
  'DWN-13': row('secrecy', 'no token in logs, errors, inspection, JSON and traces'),
  'DWN-14': row('operations', 'a tracing channel tells of each exchange'),
  'DWN-15': row('RFC 9449 5', 'the token of a caller with a proof is exchanged; a bound answer is rejected'),
  'DWN-16': row('RFC 8693', 'a sample with two servers: the back end sees itself, the person and the actor'),
  'DWN-17': row('operations', 'credentials that the server rejects are named in the log, once'),
  'DWN-18': row('RFC 8693 2.1', 'a target that the preset has no parameters for is a TypeError'),
  'DWN-19': row('robustness', 'the cache is bounded, and evicts what was not used for the longest time'),
  'DWN-20': row('operations', 'requests that hang end with the application'),
  'DWN-21': row(
    'design',
    'a tenant exchanges tokens with its own credentials, and new ones replace old ones',
  ),
  'DWN-22': row('design', 'for a caller with an API key nothing is sent, and the error says why'),
  'DWN-23': row('design', 'an outage that ends a handler is 503, whatever the handler caught before'),
  'ACT-01': row('RFC 8693 4.1', 'the actors of a token are read, the current one first'),
  'ACT-02': row('RFC 8693 4.1', 'a token whose act is not understood is rejected'),
  'ACT-03': row('robustness', 'a token with more than 8 actors is rejected, however many'),
  'ACT-04': row('RFC 8693 4.1', 'handlers see the actor in AuthInfo, frozen'),
  'ACT-05': row('RFC 8693 4.1', 'events name the actor, or what redact.subject makes of it'),
  'ACT-06': row(
    'RFC 8693 4.1',
    'introspection answers and local callers have actors too, and explain() checks them',
  ),
} as const;

const resolvedIssuers = {
  'TEN-01': row(
    'design',
    'tokens of issuers that the resolver of a resource knows are accepted, and no others',
  ),
  'TEN-02': row(
    'design',
    'a resolver is a class among the providers, an object or a function, checked at boot',
  ),
  'TEN-03': row('robustness', 'a resolver is called only for a well-formed issuer that is not configured'),
  'TEN-04': row(
    'design',
    'a resolver is called once for an issuer: 10 minutes if it is known, 1 minute if not',
  ),
  'TEN-05': row(
    'RFC 8414 3.3, robustness',
    'wrong options of a resolver, or another issuer, are 500 and pass no token',
  ),
  'TEN-06': row('robustness', 'a resolver that throws or hangs is 503 and passes no token'),
  'TEN-07': row('RFC 8725 3.8', 'a token of one resolved issuer with the key of another is rejected'),
  'TEN-08': row(
    'robustness',
    '20,000 invented issuers cause no fetch and bounded calls, and known issuers are served',
  ),
  'TEN-09': row('performance', 'first requests of 1,000 issuers at once cause 1,000 discoveries'),
  'TEN-10': row(
    'RFC 9728 2',
    'the document lists configured servers only, and resolved ones are discovered lazily',
  ),
  'TEN-11': row('robustness', 'an evicted server works on, and is made again when it is needed'),
  'TEN-12': row('RFC 7517 5', 'keys of a resolved issuer rotate as those of a configured one'),
  'TEN-13': row(
    'design',
    'an issuer that is not trusted any more is rejected within 10 minutes, cached tokens too',
  ),
  'TEN-14': row('RFC 9728 7.7', 'a public resource never asks for an issuer at a private address'),
  'TEN-15': row('operations', 'report and explain know resolved servers, and are bounded'),
  'TEN-16': row('design', 'verifiers of the application may name resolved issuers, and hand tokens on'),
  'TEN-17': row('design', 'the options of a resolved server hold for its tokens'),
  'TEN-18': row(
    'robustness',
    'an outage of a resolved server is 503 for its tokens alone, and does not count as unhealthy',
  ),
  'TEN-19': row('privacy', 'no issuer of an unverified token reaches a log line or an event'),
} as const;

const tenantResources = {
  'TEN-20': row(
    'design',
    'a template has "{tenant}" once, as a whole path segment, and is the only resource that may have it',
  ),
  'TEN-21': row('design', 'what a template cannot have is rejected at boot, and the message says why'),
  'TEN-22': row(
    'design',
    'templates with a path in common are rejected at boot; other resources take precedence over a template',
  ),
  'TEN-23': row('RFC 9728 3.1', 'each tenant has a document at its own path, and an unknown one has none'),
  'TEN-24': row('RFC 9728 5.1', 'the challenge names the document of the tenant'),
  'TEN-25': row(
    'design',
    'an unknown tenant is 404 before a token is read, by every way into the application',
  ),
  'TEN-26': row(
    'RFC 8707 2',
    'a token of one tenant is rejected at every other: tenants, issuers and resources',
  ),
  'TEN-27': row('RFC 3986 6.2.2', 'a tenant has one spelling: any other path of it is 404'),
  'TEN-28': row('design', 'AuthInfo.tenant is the tenant in the path'),
  'TEN-29': row('design', 'verified tokens are cached for one tenant, and for what belongs to it now'),
  'TEN-30': row('RFC 9449 4.3', 'a proof names the URL of the tenant'),
  'TEN-31': row('MCP security best practices', 'a session of one tenant does not exist at another'),
  'TEN-32': row('design', 'events name the resource of the tenant, and the template if there is no tenant'),
  'TEN-33': row('MCP 2026-07-28 basic/transports', 'each tenant has its own allowed origins'),
  'TEN-34': row('design', 'a tenant resolver is a class by DI, an object or a function'),
  'TEN-35': row(
    'robustness',
    'a resolver that throws or hangs is 503, and one that returns nonsense is 500; neither authenticates a request',
  ),
  'TEN-36': row(
    'design',
    'requests for a tenant share a call; its answer is used for 60 seconds, that there is none for 10',
  ),
  'TEN-37': row(
    'robustness',
    'invented tenants evict no known one, and cause a limited number of calls at once and per second',
  ),
  'TEN-38': row('design', 'the first requests of 1,000 tenants at once cause 1,000 discoveries, no more'),
  'TEN-39': row('design', 'handlers and scopes belong to the template, and so to each tenant'),
  'TEN-40': row('design', 'explain() and ResourceTokenVerifier take the identifier of a tenant'),
  'TEN-41': row('design', 'templates work behind a global prefix that is in the resource'),
  'TEN-42': row('design', 'the sample with tenants opens each tenant to its own tokens'),
  'TEN-44': row('design', 'the sample with customers trusts issuers that are added while it runs'),
  'TEN-43': row('design', 'a tenant that the resolver no longer knows is 404 after 60 seconds'),
  'TEN-45': row('design', 'an API key opens only the tenants that its verifier allows'),
  'TEN-46': row('robustness', 'the memory for keys of tenants does not grow with the number of tenants'),
  'TEN-47': row(
    'design',
    'allowed clients, then scopes, then policies decide at each tenant, also on its lists',
  ),
  'TEN-48': row(
    'design',
    'no server that becomes known at run time has the issuer of API keys or a private one',
  ),
} as const;

export const requirements = {
  ...downstream,
  ...resolvedIssuers,
  ...tenantResources,
  ...doctor,
  ...replicas,
  ...clients,
  ...publicLifecycle,
  ...waysIn,
  ...onePath,
  ...mutualTls,
  ...userAuthentication,
  ...keysAndClients,
  ...policies,
  ...left,
  ...sampleApps,
  ...sessions,
  ...streams,
  ...realClients,
  ...clientPrograms,
  ...listsAndLocalCalls,
  ...audit,
  ...sampleServers,
  ...operationScopes,
  ...rejections,
  ...requestOrigins,
  ...engineRest,
  ...sameByOtherNames,
  ...perOperation,
  ...callers,
  ...mounting,
  ...tokenProfile,
  ...attacks,
  ...operating,
  ...livingOn,
  ...metadata,
  ...challenges,
  ...tokens,
  ...discovery,
  ...operations,
  ...opaque,
  ...features,
  ...verifiers,
  ...legacyClients,
};

export type RequirementId = keyof typeof requirements;
