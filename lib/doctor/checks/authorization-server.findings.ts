import { docs, MCP_AUTHORIZATION, rfc } from '../links.js';

const SETTINGS = docs('clients.md#settings-for-all-clients');
const health = (code: string): string => docs(`operations/health.md#${code}`);

/** @internal */
export const AUTHORIZATION_SERVER_FINDINGS = {
  metadata_missing: {
    severity: 'error',
    title: 'The metadata of the authorization server cannot be fetched',
    expected: '200 with JSON at one of the addresses',
    cure: 'Check the issuer in "authorizationServers", and that clients reach the server from where they run.',
    link: rfc(8414, '3.1'),
  },
  issuer_mismatch: {
    severity: 'error',
    title: 'The metadata names another issuer; clients reject it',
    cure: 'Write the issuer in "authorizationServers" exactly as the server does, with or without a slash at its end.',
    link: rfc(8414, '3.3'),
  },
  endpoint_malformed: {
    severity: 'error',
    title: 'An endpoint of the metadata is not a URL that clients use',
    expected: 'https; http only on loopback',
    cure: 'Correct the public URL of the authorization server. Behind a proxy it is often still the internal one.',
    link: rfc(8414, '2'),
  },
  authorization_endpoint_missing: {
    severity: 'error',
    title: 'No "authorization_endpoint": clients cannot send people to sign in',
    cure: 'Configure the server that has the sign-in pages.',
    link: health('authorization_endpoint_missing'),
  },
  token_endpoint_missing: {
    severity: 'error',
    title: 'No "token_endpoint": clients cannot get tokens',
    cure: 'Check whether the metadata is that of the right server.',
    link: health('token_endpoint_missing'),
  },
  code_response_type_missing: {
    severity: 'error',
    title: '"response_types_supported" lacks "code"',
    cure: 'Enable the authorization code flow.',
    link: health('code_response_type_missing'),
  },
  authorization_code_grant_missing: {
    severity: 'error',
    title: '"grant_types_supported" lacks "authorization_code"',
    cure: 'Enable the authorization code grant.',
    link: health('authorization_code_grant_missing'),
  },
  pkce_missing: {
    severity: 'error',
    title: 'No "code_challenge_methods_supported": MCP clients reject the server',
    expected: 'S256',
    cure: 'Announce S256 in the metadata of the server. Many servers support it and do not say so.',
    link: health('pkce_missing'),
  },
  pkce_s256_missing: {
    severity: 'error',
    title: '"code_challenge_methods_supported" lacks "S256", the only method of MCP clients',
    expected: 'S256',
    cure: 'Enable S256.',
    link: health('pkce_s256_missing'),
  },
  registration_missing: {
    severity: 'warning',
    title: 'Unknown clients cannot register',
    expected: '"client_id_metadata_document_supported" or "registration_endpoint"',
    cure: 'Enable one of them, or register each client by hand and give people its client ID.',
    link: health('registration_missing'),
  },
  client_documents_missing: {
    severity: 'note',
    title: 'The server does not accept client ID metadata documents; clients register dynamically',
    cure: 'Enable client ID metadata documents if the server can: registered clients pile up.',
    link: SETTINGS,
  },
  dynamic_registration_missing: {
    severity: 'note',
    title: 'The server has no dynamic registration; clients without a metadata document need a client ID',
    cure: 'Enable dynamic registration, or register these clients by hand.',
    link: SETTINGS,
  },
  iss_parameter_missing: {
    severity: 'note',
    title: 'The server does not announce "iss" in authorization responses, which detects mixed-up servers',
    expected: '"authorization_response_iss_parameter_supported": true',
    cure: 'Enable it if the server can.',
    link: rfc(9207, '2.3'),
  },
  refresh_missing: {
    severity: 'note',
    title: '"grant_types_supported" lacks "refresh_token": people sign in again after each expiry',
    cure: 'Enable refresh tokens.',
    link: SETTINGS,
  },
  public_clients_missing: {
    severity: 'warning',
    title:
      '"token_endpoint_auth_methods_supported" lacks "none": clients on people\'s machines cannot get tokens',
    expected: 'none',
    cure: 'Allow public clients.',
    link: MCP_AUTHORIZATION,
  },
  scopes_not_offered: {
    severity: 'warning',
    title: 'The server does not list scopes that the resource lists; it may reject requests for them',
    cure: 'Register the scopes at the server, or correct their names.',
    link: rfc(8414, '2'),
  },
  resource_not_listed: {
    severity: 'warning',
    title: 'The server has a list of resources, and this one is not in it',
    cure: 'Add the resource at the server.',
    link: rfc(9728, '4'),
  },
} as const;
