import { docs, MCP_AUTHORIZATION, rfc } from '../links.js';

const PATHS = docs('guides/prefixes-and-versioning.md#metadata-documents');

/** @internal */
export const RESOURCE_DOCUMENT_FINDINGS = {
  document_missing: {
    severity: 'error',
    title: 'There is no metadata document of the resource',
    expected: '200 with JSON',
    cure: 'If the application serves it, the proxy must pass /.well-known/ to the application, and keep the path.',
    link: docs('operations/proxies.md#what-the-proxy-must-pass-on'),
  },
  document_unusable: {
    severity: 'error',
    title: 'The metadata document that the challenge names cannot be read',
    expected: '200 with a JSON object, without a redirect, of at most 1 MB',
    cure: 'Correct resource_metadata, or what answers at that URL.',
    link: rfc(9728, '3.2'),
  },
  document_not_at_path: {
    severity: 'warning',
    title: 'The document is not where clients look that do not read resource_metadata',
    expected: '200 with the same document',
    cure: 'Serve it at the path of the resource behind the well-known path.',
    link: rfc(9728, '3.1'),
  },
  documents_disagree: {
    severity: 'warning',
    title: 'Two addresses have different documents of this resource',
    cure: 'Serve one document. A cache, or an old deployment behind the proxy, may answer at one of them.',
    link: PATHS,
  },
  document_media_type: {
    severity: 'warning',
    title: 'The document is not sent as JSON',
    expected: 'application/json',
    cure: 'Set the Content-Type of the answer.',
    link: rfc(9728, '3.2'),
  },
  document_without_cors: {
    severity: 'note',
    title: 'Pages of other origins cannot read the document, so clients in browsers cannot sign in',
    expected: 'Access-Control-Allow-Origin: *',
    cure: 'Send the header. The document is public.',
    link: rfc(9728, '3.1'),
  },
  resource_missing: {
    severity: 'error',
    title: 'The document has no "resource"',
    cure: 'Add "resource": the URL of the MCP endpoint.',
    link: rfc(9728, '2'),
  },
  resource_mismatch: {
    severity: 'error',
    title: 'The "resource" of the document is not the URL; clients stop here',
    cure: 'Set the option "resource" to the URL that people type into their client.',
    link: rfc(9728, '3.3'),
  },
  resource_spelling: {
    severity: 'warning',
    title: 'The "resource" of the document is spelled differently from the URL; strict clients stop here',
    cure: 'Use one spelling everywhere: case of the host, port and slash at the end.',
    link: rfc(9728, '3.3'),
  },
  resource_is_parent: {
    severity: 'warning',
    title: 'The "resource" of the document is a parent of the URL; strict clients stop here',
    cure: 'Give each endpoint its own resource and document.',
    link: rfc(9728, '3.3'),
  },
  authorization_servers_missing: {
    severity: 'error',
    title: 'The document names no authorization server',
    expected: 'at least one in "authorization_servers"',
    cure: 'Set the option "authorizationServers".',
    link: MCP_AUTHORIZATION,
  },
  authorization_server_malformed: {
    severity: 'error',
    title: 'An entry of "authorization_servers" is not an issuer',
    expected: 'an https URL without query and fragment; http only on loopback',
    cure: 'Write the issuer exactly as the authorization server does.',
    link: rfc(8414, '2'),
  },
  header_not_supported: {
    severity: 'error',
    title: '"bearer_methods_supported" does not have "header", the only method of MCP',
    expected: 'header',
    cure: 'List "header", or leave the member out.',
    link: rfc(9728, '2'),
  },
  query_supported: {
    severity: 'warning',
    title: 'The document says that tokens may be sent in the query or the body',
    expected: 'header only',
    cure: 'List "header" only: URLs are logged and shared.',
    link: rfc(9700, '4.3.2'),
  },
  scopes_supported_missing: {
    severity: 'note',
    title: 'The document has no "scopes_supported"; clients that read only it request no scope',
    cure: 'Set the option "scopesSupported", or declare scopes with @RequireScopes().',
    link: docs('guides/scopes.md'),
  },
} as const;
