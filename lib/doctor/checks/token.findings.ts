import { docs, rfc } from '../links.js';

const HARDENING = docs('security/hardening.md');

/** @internal */
export const TOKEN_FINDINGS = {
  token_opaque: {
    severity: 'note',
    title: 'The token is not a JWT: only its authorization server knows what it says',
    cure: 'The resource must use introspection, or a verifier of its own.',
    link: docs('guides/introspection.md'),
  },
  token_encrypted: {
    severity: 'warning',
    title: 'The token is an encrypted JWT, which the module does not decrypt',
    cure: 'Have the server issue signed tokens for this resource.',
    link: rfc(9068, '2'),
  },
  token_malformed: {
    severity: 'error',
    title: 'The token looks like a JWT, and cannot be decoded',
    cure: 'Check that the whole token was copied, without quotes and spaces.',
    link: rfc(7519, '7.2'),
  },
  token_algorithm: {
    severity: 'error',
    title: 'alg: the token is not signed by an asymmetric key',
    expected: 'an asymmetric algorithm, such as RS256',
    cure: 'Set the signing algorithm of the API at the authorization server.',
    link: rfc(8725, '3.1'),
  },
  token_type: {
    severity: 'error',
    title: 'typ: the token is not an access token',
    expected: 'at+jwt, JWT, or none',
    cure: 'Send the access token, not the ID token or a proof.',
    link: rfc(8725, '3.12'),
  },
  token_is_id_token: {
    severity: 'warning',
    title: 'The token has claims of an ID token: nonce, at_hash or c_hash',
    expected: 'an access token',
    cure: 'Send "access_token" of the token response, not "id_token".',
    link: rfc(8725, '3.12'),
  },
  token_issuer: {
    severity: 'error',
    title: 'iss: the issuer is not an authorization server of the resource',
    cure: 'Get the token from one of the listed servers, or add the issuer to "authorizationServers", spelled as in the token.',
    link: rfc(9068, '4'),
  },
  token_audience: {
    severity: 'error',
    title: 'aud: the token is for another resource',
    cure: 'Request the token with resource=URL (RFC 8707), and see how your provider sets the audience.',
    link: docs('providers.md'),
  },
  token_expired: {
    severity: 'error',
    title: 'exp: the token has expired',
    cure: 'Refresh the token, or get a new one.',
    link: rfc(7519, '4.1.4'),
  },
  token_without_expiry: {
    severity: 'error',
    title: 'exp: the token never expires',
    expected: 'a time',
    cure: 'Set the lifetime of access tokens at the authorization server.',
    link: rfc(9068, '2.2'),
  },
  token_not_yet_valid: {
    severity: 'error',
    title: 'nbf: the token is not valid yet',
    cure: 'Compare the clocks of this machine and of the authorization server.',
    link: rfc(7519, '4.1.5'),
  },
  token_scopes: {
    severity: 'warning',
    title: 'scope: the token lacks scopes that the resource lists',
    cure: 'Nothing, if it needs fewer. A client gets more by step-up: --login --call TOOL.',
    link: docs('guides/scopes.md#step-up'),
  },
  token_bound: {
    severity: 'error',
    title: 'cnf: the token is bound to a key, and works only with a proof of that key',
    cure: 'Examine the server with a bearer token. The doctor makes no proofs.',
    link: docs('guides/dpop.md'),
  },
  token_signature: {
    severity: 'error',
    title: 'The signature does not match the keys of the issuer',
    expected: 'a signature by a key of the set',
    cure: 'Check that the token was copied whole, and that the key was not removed from the set.',
    link: HARDENING,
  },
} as const;
