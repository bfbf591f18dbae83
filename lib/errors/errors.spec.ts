import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { McpAuthConfigError } from './config.error.js';
import { BootstrapDiscoveryError, DiscoveryError } from './discovery.error.js';
import { McpAuthError } from './mcp-auth.error.js';
import {
  AccessDeniedError,
  AuthorizationServerUnavailableError,
  CredentialsRejectedError,
  InsufficientScopeError,
  RequestOriginRejectedError,
  TenantRejectedError,
  TokenRejectedError,
} from './rejection.errors.js';

describe('the errors', () => {
  const cause = new Error('cause');

  it.each<[McpAuthError, string, string, string]>([
    [
      new McpAuthConfigError([]),
      'McpAuthConfigError',
      'ERR_MCP_AUTH_CONFIG',
      'McpAuthModule has 0 problems:',
    ],
    [
      new DiscoveryError('not_found', 'https://a.example/m', 'answered 404'),
      'DiscoveryError',
      'ERR_MCP_AUTH_DISCOVERY',
      'https://a.example/m: answered 404',
    ],
    [
      new DiscoveryError('not_json', undefined, 'is no object'),
      'DiscoveryError',
      'ERR_MCP_AUTH_DISCOVERY',
      'is no object',
    ],
    [
      new RequestOriginRejectedError('host'),
      'RequestOriginRejectedError',
      'ERR_MCP_AUTH_ORIGIN_REJECTED',
      'Request rejected: host',
    ],
    [
      new TenantRejectedError('unknown_tenant'),
      'TenantRejectedError',
      'ERR_MCP_AUTH_TENANT_REJECTED',
      'Tenant rejected: unknown_tenant',
    ],
    [
      new CredentialsRejectedError('missing_token'),
      'CredentialsRejectedError',
      'ERR_MCP_AUTH_CREDENTIALS_REJECTED',
      'Credentials rejected: missing_token',
    ],
    [
      new TokenRejectedError('expired'),
      'TokenRejectedError',
      'ERR_MCP_AUTH_TOKEN_REJECTED',
      'Access token rejected: expired',
    ],
    [
      new InsufficientScopeError(['a', 'b']),
      'InsufficientScopeError',
      'ERR_MCP_AUTH_INSUFFICIENT_SCOPE',
      'The operation needs the scopes: a b',
    ],
    [
      new AccessDeniedError('policy'),
      'AccessDeniedError',
      'ERR_MCP_AUTH_ACCESS_DENIED',
      'Access denied: policy',
    ],
    [
      new AuthorizationServerUnavailableError('https://as.example'),
      'AuthorizationServerUnavailableError',
      'ERR_MCP_AUTH_UNAVAILABLE',
      'Could not get the keys of https://as.example',
    ],
  ])('%s has its name, its code and words', (error, name, code, message) => {
    expect(error).toBeInstanceOf(McpAuthError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name, code, message });
  });

  it('keep their cause', () => {
    for (const error of [
      new McpAuthConfigError([], { cause }),
      new DiscoveryError('timeout', undefined, '', { cause }),
      new TokenRejectedError('signature', { cause }),
      new AccessDeniedError('policy', { cause }),
      new AuthorizationServerUnavailableError('https://as.example', 'keys', { cause }),
    ]) {
      expect(error.cause).toBe(cause);
    }
  });

  it('capture a stack unless they are rejections, and leave the limit as it was', () => {
    const { stackTraceLimit } = Error;
    for (const rejection of [
      new RequestOriginRejectedError('origin'),
      new TenantRejectedError('unknown_tenant'),
      new CredentialsRejectedError('missing_token'),
      new TokenRejectedError('expired'),
      new InsufficientScopeError(['a']),
      new AccessDeniedError('client'),
    ]) {
      expect(rejection.stack).not.toContain('\n');
      expect(rejection.stack).toContain(rejection.message);
    }
    expect(new AuthorizationServerUnavailableError('https://as.example').stack).toContain('errors.spec');
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
  });

  verifies('F106', 'become JSON with all that they say, without stack and cause', () => {
    const json = (error: Error): unknown => JSON.parse(JSON.stringify(error));
    const attempt = new DiscoveryError('not_found', 'https://a.example/m', 'answered 404', { cause });
    const attemptJson = {
      name: 'DiscoveryError',
      code: 'ERR_MCP_AUTH_DISCOVERY',
      message: 'https://a.example/m: answered 404',
      failure: 'not_found',
      url: 'https://a.example/m',
      detail: 'answered 404',
    };
    expect(json(attempt)).toEqual(attemptJson);
    expect(json(new BootstrapDiscoveryError([{ server: 'https://a', attempts: [attempt] }]))).toMatchObject({
      name: 'BootstrapDiscoveryError',
      failures: [{ server: 'https://a', attempts: [attemptJson] }],
    });
    expect(json(new TokenRejectedError('signature', { cause }))).toEqual({
      name: 'TokenRejectedError',
      code: 'ERR_MCP_AUTH_TOKEN_REJECTED',
      message: 'Access token rejected: signature',
      reason: 'signature',
    });
    expect(json(new McpAuthConfigError([{ path: 'a', message: 'b' }], { cause }))).toEqual({
      name: 'McpAuthConfigError',
      code: 'ERR_MCP_AUTH_CONFIG',
      message: 'McpAuthModule has 1 problem:\n  - a: b',
      problems: [{ path: 'a', message: 'b' }],
    });
  });

  it('name a class of the application that extends one of them', () => {
    class TooOldError extends TokenRejectedError {}
    expect(new TooOldError('expired').name).toBe('TooOldError');
  });

  it('list every server and every attempt of a bootstrap', () => {
    const attempt = (url: string): DiscoveryError => new DiscoveryError('not_found', url, 'answered 404');
    const [a, b, c] = [attempt('https://a/1'), attempt('https://a/2'), attempt('https://b/1')];
    const failures = [
      { server: 'https://a', attempts: [a, b] },
      { server: 'https://b', attempts: [c] },
    ];
    const error = new BootstrapDiscoveryError(failures);
    expect(error.message).toBe(
      [
        'Authorization servers could not be resolved:',
        '  - https://a',
        '      https://a/1: answered 404',
        '      https://a/2: answered 404',
        '  - https://b',
        '      https://b/1: answered 404',
      ].join('\n'),
    );
    expect(error).toMatchObject({
      name: 'BootstrapDiscoveryError',
      code: 'ERR_MCP_AUTH_DISCOVERY',
      failures,
    });
    expect(error.cause).toEqual([a, b, c]);
    expect(new BootstrapDiscoveryError(failures.slice(1)).message).toMatch(/^An authorization server could/);
  });

  it('keeps what a document says on one line', () => {
    const error = new DiscoveryError(
      'issuer_mismatch',
      'https://as.example/d',
      'names "x\n[Nest] fake\u2028line"',
    );
    expect(error.detail).toBe('names "x\u{FFFD}[Nest] fake\u{FFFD}line"');
    expect(error.message).toBe(`https://as.example/d: ${error.detail}`);
  });
});
