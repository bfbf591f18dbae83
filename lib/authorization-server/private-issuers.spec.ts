import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from '../errors/config.error.js';
import { resolveOptions } from '../options/resolve-options.js';
import { assertPrivateIssuers } from './private-issuers.js';

const ISSUER = 'https://as.example';
const OTHER = 'https://other.example';

describe('assertPrivateIssuers', () => {
  verifies('AKY-12', 'rejects an issuer of API keys that is also that of an authorization server', () => {
    const verifier = (): null => null;
    const { resources } = resolveOptions({
      resources: {
        resource: 'https://api.example.com/notes',
        authorizationServers: [ISSUER],
        verifier,
        privateIssuers: ['urn:example:tenant'],
        apiKeys: { verifier, issuer: OTHER },
      },
    });
    const check =
      (...issuers: string[]) =>
      () => {
        assertPrivateIssuers(resources, issuers);
      };
    const message = `is the issuer of an authorization server; a private issuer must not be; got "${OTHER}"`;
    expect(check(ISSUER, OTHER)).toThrow(
      new McpAuthConfigError([{ path: 'resources[0].apiKeys.issuer', message }]),
    );
    expect(check(ISSUER, `${OTHER}/`)).not.toThrow();
  });
});
