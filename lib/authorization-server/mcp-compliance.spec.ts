import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { mcpComplianceFindings, registersWithScopes } from './mcp-compliance.js';

const GOOD: Record<string, unknown> = {
  issuer: 'https://as.example',
  authorization_endpoint: 'https://as.example/authorize',
  token_endpoint: 'https://as.example/token',
  response_types_supported: ['code'],
  code_challenge_methods_supported: ['plain', 'S256'],
  registration_endpoint: 'https://as.example/register',
};

const codes = (changes: Record<string, unknown>): string[] =>
  mcpComplianceFindings({ ...GOOD, ...changes } as { issuer: string }).map(({ code }) => code);

describe('mcpComplianceFindings', () => {
  verifies('F14', 'gives a stable code for each thing that MCP clients need', () => {
    expect(codes({})).toEqual([]);
    expect(codes({ authorization_endpoint: undefined })).toEqual(['authorization_endpoint_missing']);
    expect(codes({ token_endpoint: undefined })).toEqual(['token_endpoint_missing']);
    expect(codes({ response_types_supported: ['token'] })).toEqual(['code_response_type_missing']);
    expect(codes({ response_types_supported: undefined })).toEqual(['code_response_type_missing']);
    expect(codes({ grant_types_supported: ['authorization_code'] })).toEqual([]);
    expect(codes({ grant_types_supported: ['implicit'] })).toEqual(['authorization_code_grant_missing']);
    expect(codes({ code_challenge_methods_supported: undefined })).toEqual(['pkce_missing']);
    expect(codes({ code_challenge_methods_supported: ['plain'] })).toEqual(['pkce_s256_missing']);
  });

  verifies('F16', 'misses a way to register, unless client ID metadata documents are supported', () => {
    expect(codes({ registration_endpoint: undefined })).toEqual(['registration_missing']);
    expect(codes({ registration_endpoint: undefined, client_id_metadata_document_supported: true })).toEqual(
      [],
    );
    expect(
      codes({ registration_endpoint: undefined, client_id_metadata_document_supported: 'true' }),
    ).toEqual(['registration_missing']);
    expect(codes({ client_id_metadata_document_supported: false })).toEqual([]);
  });

  it.each([
    [{}, true],
    [{ client_id_metadata_document_supported: true }, false],
    [{ client_id_metadata_document_supported: 'true' }, true],
    [{ client_id_metadata_document_supported: false }, true],
    [{ registration_endpoint: undefined }, false],
  ])('knows whether clients can only register dynamically: %j', (changes, registers) => {
    expect(registersWithScopes({ ...GOOD, ...changes } as { issuer: string })).toBe(registers);
  });

  it('lists all findings in a fixed order, with words', () => {
    const findings = mcpComplianceFindings({ issuer: 'https://as.example' });
    expect(findings.map(({ code }) => code)).toEqual([
      'authorization_endpoint_missing',
      'token_endpoint_missing',
      'code_response_type_missing',
      'pkce_missing',
      'registration_missing',
    ]);
    expect(findings[0]?.message).toBe('no "authorization_endpoint": clients cannot send people to log in');
  });

  it.each(['code', { code: true }, null, 7])('does not take %j for a list', (value) => {
    expect(codes({ response_types_supported: value })).toEqual(['code_response_type_missing']);
  });
});
