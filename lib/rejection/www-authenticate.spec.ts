import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { bearerChallenge, dpopChallenge } from './www-authenticate.js';

const PRM = 'https://api.example.com/.well-known/oauth-protected-resource/notes';

/** How the MCP clients in use find a parameter: by the first place where its name occurs. */
const asClientsRead = (header: string, name: string): string | undefined => {
  const [, quoted, bare] = new RegExp(`${name}=(?:"([^"]+)"|([^\\s,]+))`).exec(header) ?? [];
  return quoted ?? bare;
};

describe('bearerChallenge', () => {
  verifies(
    ['CHL-11', 'CHL-10'],
    'writes error, scope, resource_metadata, error_description, in this order and quoted',
    () => {
      const header = bearerChallenge({
        description: 'No scope=x, no resource_metadata=y',
        resourceMetadata: PRM,
        scopes: ['a', 'b'],
        error: 'insufficient_scope',
      });
      expect(header).toBe(
        `Bearer error="insufficient_scope", scope="a b", resource_metadata="${PRM}", error_description="No scope=x, no resource_metadata=y"`,
      );
      expect(asClientsRead(header, 'error')).toBe('insufficient_scope');
      expect(asClientsRead(header, 'scope')).toBe('a b');
      expect(asClientsRead(header, 'resource_metadata')).toBe(PRM);
    },
  );

  verifies('STP-02', 'writes acr_values and max_age quoted, behind what clients in use look for', () => {
    const header = bearerChallenge({
      description: 'No max_age=1',
      resourceMetadata: PRM,
      scopes: ['a'],
      error: 'insufficient_user_authentication',
      acrValues: ['urn:a', 'urn:b'],
      maxAgeSeconds: 0,
      errorUri: 'https://docs.example/errors',
    });
    expect(header).toBe(
      `Bearer error="insufficient_user_authentication", scope="a", resource_metadata="${PRM}", acr_values="urn:a urn:b", ` +
        'max_age="0", error_description="No max_age=1", error_uri="https://docs.example/errors"',
    );
    expect(asClientsRead(header, 'max_age')).toBe('0');
    expect(asClientsRead(header, 'acr_values')).toBe('urn:a urn:b');
  });

  verifies('CHL-06', 'has no scope parameter where there is nothing to ask for', () => {
    for (const scopes of [{}, { scopes: [] }, { scopes: ['offline_access'] }]) {
      const header = bearerChallenge({ resourceMetadata: PRM, ...scopes });
      expect(header).toBe(`Bearer resource_metadata="${PRM}"`);
      expect(asClientsRead(header, 'scope')).toBeUndefined();
    }
    expect(bearerChallenge({ resourceMetadata: PRM, scopes: ['a'] })).toBe(
      `Bearer scope="a", resource_metadata="${PRM}"`,
    );
  });

  verifies('SCP-08', 'leaves offline_access out', () => {
    const scopes = ['offline_access', 'a', 'offline_accesses', 'Offline_access', 'offline_access'];
    expect(bearerChallenge({ resourceMetadata: PRM, scopes })).toBe(
      `Bearer scope="a offline_accesses Offline_access", resource_metadata="${PRM}"`,
    );
  });
});

describe('dpopChallenge', () => {
  it('has its parameters in one order, and only those that it is given', () => {
    const algorithms = ['ES256', 'EdDSA'];
    expect(dpopChallenge({ algorithms })).toBe('DPoP algs="ES256 EdDSA"');
    const failure = { error: 'invalid_dpop_proof', description: 'wrong', errorUri: 'https://docs.example/e' };
    expect(dpopChallenge({ ...failure, algorithms })).toBe(
      'DPoP error="invalid_dpop_proof", error_description="wrong", error_uri="https://docs.example/e", algs="ES256 EdDSA"',
    );
  });
});
