import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { resolveOptions } from '../options/resolve-options.js';
import { advertisedScopes, buildResourceMetadata } from './build-resource-metadata.js';

const ISSUERS = ['https://b.example/', 'https://a.example'];

const build = (resource: string, scopes: readonly string[] = [], metadata = {}): unknown =>
  buildResourceMetadata(
    resolveOptions({ resources: { resource, authorizationServers: ISSUERS, metadata } }).resources[0]!,
    ISSUERS,
    scopes,
  );

describe('buildResourceMetadata', () => {
  verifies('PRM-27', 'leaves out members without a value', () => {
    expect(build('https://API.example.com/notes')).toEqual({
      resource: 'https://API.example.com/notes',
      authorization_servers: ISSUERS,
      bearer_methods_supported: ['header'],
    });
  });

  it('lists scopes and issuers in their order', () => {
    expect(build('https://api.example.com', ['b', 'a'])).toMatchObject({
      scopes_supported: ['b', 'a'],
      authorization_servers: ISSUERS,
    });
  });

  verifies(['PRM-28', 'PRM-29', 'F43'], 'prints further members unchanged', () => {
    const payload = Buffer.from('{"iss":"https://a.example"}').toString('base64url');
    const metadata = {
      'resource_name#de': 'Notizen',
      x_vendor: { a: [null, 'ü'] },
      signed_metadata: `e30.${payload}.c2ln`,
    };
    expect(build('https://api.example.com', [], metadata)).toEqual({
      resource: 'https://api.example.com',
      authorization_servers: ISSUERS,
      bearer_methods_supported: ['header'],
      ...metadata,
    });
  });
});

describe('advertisedScopes', () => {
  verifies('PRM-25', 'leaves offline_access out', () => {
    expect(advertisedScopes(['offline_access', 'a', 'offline_access'])).toEqual(['a']);
    expect(advertisedScopes(['offline_accesses', 'Offline_access'])).toEqual([
      'offline_accesses',
      'Offline_access',
    ]);
  });

  it('keeps the order and gives each scope once', () => {
    expect(advertisedScopes(new Set(['b', 'a']))).toEqual(['b', 'a']);
    expect(advertisedScopes(['b', 'a', 'b'])).toEqual(['b', 'a']);
    expect(advertisedScopes([])).toEqual([]);
  });
});
