import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { type MetadataExpectation, validateMetadata } from './validate-metadata.js';

const ISSUER = 'https://as.example/t';
const URL = 'https://as.example/.well-known/oauth-authorization-server/t';
const DOCUMENT = { issuer: ISSUER, jwks_uri: 'https://keys.example.net/jwks' };

const validate = (document: object, expected: Partial<MetadataExpectation> = {}): unknown =>
  validateMetadata(document as Record<string, unknown>, {
    url: URL,
    issuers: [ISSUER],
    hasKeys: false,
    ...expected,
  });

describe('validateMetadata', () => {
  it('gives the document back, unknown members included', () => {
    const document = { ...DOCUMENT, x_vendor: null };
    expect(validate(document)).toBe(document);
  });

  it.each([
    [`${ISSUER}/`],
    ['https://as.example/T'],
    ['HTTPS://as.example/t'],
    ['https://as.example:443/t'],
    ['https://as.example/%74'],
    ['https://evil.example'],
  ])('refuses the issuer %s in place of the expected one', (issuer) => {
    const message = `${URL}: names the issuer "${issuer}", expected "${ISSUER}"; configure the issuer exactly as the server writes it`;
    expect(() => validate({ ...DOCUMENT, issuer })).toThrow(
      expect.objectContaining({ failure: 'issuer_mismatch', url: URL, message }) as Error,
    );
  });

  it('accepts any of several expected issuers, and names all of them when it refuses', () => {
    const issuers = [ISSUER, `${ISSUER}/`];
    expect(validate({ ...DOCUMENT, issuer: `${ISSUER}/` }, { issuers })).toBeDefined();
    expect(() => validate({ ...DOCUMENT, issuer: 'https://x' }, { issuers })).toThrow(
      `expected "${ISSUER}" or "${ISSUER}/"`,
    );
  });

  it.each([undefined, null, 7, [ISSUER], {}])('refuses %j for an issuer', (issuer) => {
    expect(() => validate({ ...DOCUMENT, issuer })).toThrow(
      expect.objectContaining({ failure: 'metadata_invalid', message: `${URL}: has no "issuer"` }) as Error,
    );
  });

  verifies(
    'ASM-05',
    'refuses an issuer that is no plain https or loopback URL where the document names it',
    () => {
      const named = (issuer: string): unknown =>
        validate({ ...DOCUMENT, issuer }, { issuers: undefined, url: undefined });
      expect(named('http://127.0.0.1:4001')).toBeDefined();
      expect(() => named('http://as.example')).toThrow(
        expect.objectContaining({
          failure: 'metadata_invalid',
          url: undefined,
          message: 'names the issuer "http://as.example", which uses http for another machine; use https',
        }) as Error,
      );
      expect(() => named('https://as.example?x=1')).toThrow('which has a query');
      expect(() => named('https://as.example#f')).toThrow('which has a fragment');
    },
  );

  verifies(['ASM-11', 'KEY-08'], 'wants the address of the keys absolute and https, on whatever host', () => {
    for (const jwks_uri of ['https://other.example/k?v=1', 'http://127.0.0.1:1/k', 'http://[::1]/k']) {
      expect(validate({ ...DOCUMENT, jwks_uri })).toBeDefined();
    }
    for (const jwks_uri of [
      '/jwks',
      'http://as.example/j',
      'file:///x',
      'http://127.0.0.1.evil.example/',
      'https://u:p@as.example/j',
      '',
    ]) {
      for (const hasKeys of [false, true]) {
        expect(() => validate({ ...DOCUMENT, jwks_uri }, { hasKeys })).toThrow(
          expect.objectContaining({
            failure: 'metadata_invalid',
            message: expect.stringContaining(`has the "jwks_uri" "${jwks_uri}", which `) as string,
          }) as Error,
        );
      }
    }
  });

  verifies('KEY-01', 'wants an address of keys unless keys are configured', () => {
    const document = { issuer: ISSUER };
    expect(validate(document, { hasKeys: true })).toBe(document);
    expect(() => validate(document)).toThrow(
      'has no "jwks_uri"; add it by "transpileData", or give the keys by the option "jwks"',
    );
    expect(() => validate({ ...document, jwks_uri: [] }, { hasKeys: true })).toThrow(
      'has a "jwks_uri" that is not a string',
    );
  });

  it('takes nothing from a prototype key', () => {
    const document = JSON.parse(
      `{"__proto__": {"issuer": "${ISSUER}", "jwks_uri": "https://a.example"}}`,
    ) as object;
    expect(() => validate(document)).toThrow('has no "issuer"');
  });
});
