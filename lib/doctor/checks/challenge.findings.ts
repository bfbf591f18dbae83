import { docs, MCP_AUTHORIZATION, rfc } from '../links.js';

const BEARER = rfc(6750, '3');
const GRAMMAR = rfc(9110, '11.6.1');

/** @internal */
export const CHALLENGE_FINDINGS = {
  no_authentication: {
    severity: 'error',
    title: 'The server answers everything without a token',
    expected: '401 for a request without a token',
    cure: 'Put @UseGuards(BearerAuthGuard) on the endpoint, and check that no proxy adds credentials.',
    link: docs('get-started.md'),
  },
  anonymous_requests: {
    severity: 'note',
    title: 'The server answers some requests without a token',
    cure: 'Nothing, if this is meant: "anonymousMethods" or "allowAnonymous".',
    link: docs('guides/anonymous-callers.md'),
  },
  status_without_token: {
    severity: 'error',
    title: 'A request without a token is rejected with another status than 401; clients do not sign in then',
    expected: '401',
    cure: 'Authenticate before everything else: a guard, a proxy or a body parser rejects the request earlier.',
    link: MCP_AUTHORIZATION,
  },
  challenge_missing: {
    severity: 'error',
    title: 'The 401 has no WWW-Authenticate',
    expected: 'a Bearer challenge',
    cure: 'If the application sends the header, a proxy or an exception filter removes it.',
    link: rfc(9110, '15.5.2'),
  },
  challenge_malformed: {
    severity: 'error',
    title: 'WWW-Authenticate does not match its grammar',
    cure: 'Quote each value, separate parameters by commas, and escape quotes in values.',
    link: GRAMMAR,
  },
  challenge_not_bearer: {
    severity: 'error',
    title: 'No challenge has the scheme Bearer',
    expected: 'Bearer',
    cure: 'Check which guard or proxy answers: it wants another kind of credentials.',
    link: BEARER,
  },
  challenge_repeated: {
    severity: 'warning',
    title: 'There is more than one Bearer challenge; clients read only the first',
    expected: 'one',
    cure: 'Send one. A proxy or a second guard adds the other.',
    link: BEARER,
  },
  challenge_parameter_repeated: {
    severity: 'error',
    title: 'A parameter of the challenge occurs more than once',
    cure: 'Send each parameter once.',
    link: rfc(9110, '11.2'),
  },
  challenge_error_without_token: {
    severity: 'warning',
    title:
      'The challenge has an error although the request had no token; some clients then discard their tokens',
    expected: 'no "error" for a request without a token',
    cure: 'Leave out "error" if the request has no credentials.',
    link: rfc(6750, '3.1'),
  },
  scope_malformed: {
    severity: 'error',
    title: 'The scope of the challenge does not match its grammar',
    expected: 'scopes separated by one space, without quotes and backslashes',
    cure: 'Correct the names of the scopes.',
    link: rfc(6749, '3.3'),
  },
  scope_missing: {
    severity: 'note',
    title: 'The challenge names no scope; clients request all of "scopes_supported", or none',
    cure: 'Set "requiredScopes" to what every request needs.',
    link: docs('guides/scopes.md'),
  },
  resource_metadata_missing: {
    severity: 'warning',
    title: 'The challenge has no resource_metadata; some clients find the metadata only by it',
    expected: 'resource_metadata="URL"',
    cure: 'Add the parameter, with the URL of the metadata document.',
    link: rfc(9728, '5.1'),
  },
  resource_metadata_malformed: {
    severity: 'error',
    title: 'resource_metadata is not a URL that clients fetch',
    expected: 'an absolute https URL; http only on loopback',
    cure: 'Write the whole URL of the metadata document, as clients reach it.',
    link: rfc(9728, '5.1'),
  },
  resource_metadata_elsewhere: {
    severity: 'warning',
    title: 'resource_metadata is at another origin than the URL',
    cure: 'Serve the document at the origin of the resource. Behind a proxy, the option "resource" is the public URL.',
    link: docs('operations/proxies.md'),
  },
} as const;
