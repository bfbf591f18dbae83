import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import type { ResolvedProtectedResourceOptions } from './resolved-options.interface.js';
import { resolveOptions } from './resolve-options.js';

const RESOURCE = 'https://api.example.com/notes';
const LOCAL = 'http://localhost:3000/notes';
const LOOPBACK = [
  ...['http://localhost:*', 'https://localhost:*', 'http://127.0.0.1:*', 'https://127.0.0.1:*'],
  ...['http://[::1]:*', 'https://[::1]:*'],
];

function resolved(resource: string, more: object = {}): ResolvedProtectedResourceOptions {
  const authorizationServers = ['https://auth.example.com'];
  return resolveOptions({ resources: { resource, authorizationServers, ...more } }).resources[0]!;
}

const rejection = (more: object): string => {
  try {
    resolved(RESOURCE, more);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('the options are accepted');
};

describe('the option "allowedOrigins"', () => {
  verifies('ORG-04', 'has the resource for its default, and loopback where that is loopback', () => {
    expect(resolved(RESOURCE).allowedOrigins).toEqual(['https://api.example.com']);
    expect(resolved('https://API.example.com:443/notes/').allowedOrigins).toEqual([
      'https://api.example.com',
    ]);
    expect(resolved('https://api.example.com:8443').allowedOrigins).toEqual(['https://api.example.com:8443']);
    expect(resolved(LOCAL).allowedOrigins).toEqual(['http://localhost:3000', ...LOOPBACK]);
    expect(resolved('https://127.0.0.5/').allowedOrigins).toEqual(['https://127.0.0.5', ...LOOPBACK]);
    expect(resolved('https://localhost.example').allowedOrigins).toEqual(['https://localhost.example']);
  });

  it('is added to the defaults, each origin once and as it is compared', () => {
    const allowedOrigins = ['HTTPS://App.example.com:443', 'https://app.example.com', 'http://LOCALHOST:*'];
    expect(resolved(RESOURCE, { allowedOrigins }).allowedOrigins).toEqual([
      'https://api.example.com',
      'https://app.example.com',
      'http://localhost:*',
    ]);
    expect(resolved(RESOURCE, { allowedOrigins: [] }).allowedOrigins).toEqual(['https://api.example.com']);
    expect(resolved(RESOURCE, { allowedOrigins: ['*'] }).allowedOrigins).toEqual([
      'https://api.example.com',
      '*',
    ]);
  });

  it('says what is wrong, where, and the fix', () => {
    expect(rejection({ allowedOrigins: ['https://a.example', 'https://b.example/'] })).toContain(
      '  - resources[0].allowedOrigins: member 1 has a slash at the end; leave it out; got a list of 2',
    );
    expect(rejection({ allowedOrigins: ['*', 'https://b.example'] })).toContain(
      'resources[0].allowedOrigins: has "*", which allows any origin, beside others; keep one or the other; got a list of 2',
    );
    expect(rejection({ allowedOrigins: [7] })).toContain(
      'allowedOrigins: member 0 must be a non-empty string',
    );
    expect(rejection({ allowedOrigins: '*' })).toContain('allowedOrigins: must be a list; got "*"');
    expect(rejection({ allowedOrigins: null })).toContain('allowedOrigins: must be a list; got null');
    expect(rejection({ allowedOrigin: [] })).toContain('is not an option. Did you mean "allowedOrigins"?');
  });
});

describe('the option "allowedHosts"', () => {
  verifies('ORG-05', 'is nothing by default, and loopback where the resource is loopback', () => {
    expect(resolved(RESOURCE).allowedHosts).toBeUndefined();
    expect(resolved('https://localhost.example').allowedHosts).toBeUndefined();
    expect(resolved(LOCAL).allowedHosts).toEqual(['localhost', '127.0.0.1', '[::1]']);
    expect(resolved('http://[::1]:3000').allowedHosts).toEqual(['[::1]', 'localhost', '127.0.0.1']);
    expect(resolved('http://127.0.0.5:3000').allowedHosts).toEqual([
      ...['127.0.0.5', 'localhost', '127.0.0.1', '[::1]'],
    ]);
  });

  it('stands in place of the default, beside the host of the resource', () => {
    expect(resolved(RESOURCE, { allowedHosts: [] }).allowedHosts).toEqual(['api.example.com']);
    expect(
      resolved(LOCAL, { allowedHosts: ['MCP.internal:8080', 'mcp.internal:8080'] }).allowedHosts,
    ).toEqual(['localhost', 'mcp.internal:8080']);
  });

  it('says what is wrong, where, and the fix', () => {
    expect(rejection({ allowedHosts: ['https://api.example.com'] })).toContain(
      '  - resources[0].allowedHosts: member 0 has a scheme; write the host alone, such as api.example.com; got a list of 1',
    );
    expect(rejection({ allowedHosts: 'api.example.com' })).toContain(
      'allowedHosts: must be a list; got "api.example.com"',
    );
  });
});
