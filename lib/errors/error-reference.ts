import { type DiscoveryFailure } from './discovery.error.js';
import { type McpAuthErrorCode } from './mcp-auth.error.js';
import { entry, type ErrorReferenceEntry } from './reference-entry.js';

/** Every error code of this package. A code without an entry does not compile. @publicApi */
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
  ERR_MCP_AUTH_ORIGIN_REFUSED: entry(
    [400, 403],
    'the request has an Origin or a Host that the resource does not answer to, or a malformed target',
    'see the reasons `origin`, `host`, `duplicate_host` and `request_target`',
  ),
  ERR_MCP_AUTH_CREDENTIALS_REFUSED: entry(
    [400, 401],
    'no usable bearer token, or more than one credential',
    'send one access token, in the Authorization header',
  ),
  ERR_MCP_AUTH_TOKEN_REFUSED: entry(
    401,
    'the access token is not good for this resource',
    'get a new token; the reason says what is wrong with this one',
  ),
  ERR_MCP_AUTH_MESSAGE_REFUSED: entry(
    [400, 403, 415],
    'the message is not what its protocol version allows, calls what nothing declares, or is not sent as JSON, as an object',
    'see the reasons `batch`, `header_mismatch`, `undeclared_tool`, `media_type` and `not_a_message`',
  ),
  ERR_MCP_AUTH_INSUFFICIENT_SCOPE: entry(
    403,
    'the access token is good, and lacks scopes',
    'ask for the scopes that the challenge names',
  ),
};

/** Every way in which discovery fails. A failure without an entry does not compile. @publicApi */
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
