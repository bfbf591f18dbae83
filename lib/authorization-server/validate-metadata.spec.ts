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
    needsKeys: true,
    needsIntrospection: false,
    needsTokenEndpoint: false,
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
  ])('rejects the issuer %s in place of the expected one', (issuer) => {
    const message = `${URL}: names the issuer "${issuer}", expected "${ISSUER}"; configure the issuer exactly as the server writes it`;
    expect(() => validate({ ...DOCUMENT, issuer })).toThrow(
      expect.objectContaining({ failure: 'issuer_mismatch', url: URL, message }) as Error,
    );
  });

  it('accepts any of several expected issuers, and names all of them when it rejects', () => {
    const issuers = [ISSUER, `${ISSUER}/`];
    expect(validate({ ...DOCUMENT, issuer: `${ISSUER}/` }, { issuers })).toBeDefined();
    expect(() => validate({ ...DOCUMENT, issuer: 'https://x' }, { issuers })).toThrow(
      `expected "${ISSUER}" or "${ISSUER}/"`,
    );
  });

  it.each([undefined, null, 7, [ISSUER], {}])('rejects %j for an issuer', (issuer) => {
    expect(() => validate({ ...DOCUMENT, issuer })).toThrow(
      expect.objectContaining({ failure: 'metadata_invalid', message: `${URL}: has no "issuer"` }) as Error,
    );
  });

  verifies(
    'ASM-05',
    'rejects an issuer that is no plain https or loopback URL where the document names it',
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
    expect(validate({ ...DOCUMENT, jwks_uri: 'https://other.example/k?v=1' })).toBeDefined();
    for (const jwks_uri of ['http://127.0.0.1:1/k', 'http://[::1]/k']) {
      expect(validate({ ...DOCUMENT, jwks_uri }, { url: undefined })).toBeDefined();
    }
    for (const jwks_uri of [
      '/jwks',
      'http://as.example/j',
      'file:///x',
      'http://127.0.0.1.evil.example/',
      'https://u:p@as.example/j',
      '',
    ]) {
      for (const needsKeys of [false, true]) {
        expect(() => validate({ ...DOCUMENT, jwks_uri }, { needsKeys })).toThrow(
          expect.objectContaining({
            failure: 'metadata_invalid',
            message: expect.stringContaining(`has the "jwks_uri" "${jwks_uri}", which `) as string,
          }) as Error,
        );
      }
    }
  });

  verifies(['ASM-12', 'DWN-10'], 'lets no public server point into the private network', () => {
    const problem = 'which is a private address while the issuer is a public one';
    for (const host of ['169.254.169.254', '[::ffff:10.0.0.1]', '2130706433', '127.0.0.1']) {
      const address = `https://${host}/`;
      expect(() => validate({ ...DOCUMENT, jwks_uri: address })).toThrow(
        `${URL}: has the "jwks_uri" "${address}", ${problem}`,
      );
      expect(() => validate({ ...DOCUMENT, token_endpoint: address }, { needsTokenEndpoint: true })).toThrow(
        `${URL}: has the "token_endpoint" "${address}", ${problem}`,
      );
      const document = { ...DOCUMENT, introspection_endpoint: address };
      expect(() => validate(document, { needsIntrospection: true })).toThrow(
        `${URL}: has the "introspection_endpoint" "${address}", ${problem}`,
      );
    }
  });

  verifies('KEY-01', 'wants an address of keys unless keys are configured', () => {
    const document = { issuer: ISSUER };
    expect(validate(document, { needsKeys: false })).toBe(document);
    expect(() => validate(document)).toThrow(
      'has no "jwks_uri"; add it by "transpileData", or give the keys by the option "jwks"',
    );
    expect(() => validate({ ...document, jwks_uri: [] }, { needsKeys: false })).toThrow(
      'names as "jwks_uri" what is not a string',
    );
  });

  verifies(['ASM-11', 'OPQ-10', 'F82'], 'wants the address of introspection where it is used', () => {
    const ask = (introspection_endpoint?: unknown, more = {}): unknown =>
      validate({ ...DOCUMENT, introspection_endpoint }, { needsIntrospection: true, ...more });
    expect(ask('https://as.example/i?v=1')).toBeDefined();
    for (const good of ['http://127.0.0.1:1/i', 'http://localhost/i']) {
      expect(ask(good, { url: undefined })).toBeDefined();
    }
    for (const bad of [
      'http://as.example/i',
      'http://localhost.evil.example/',
      'https://u:p@as.example/',
      '/i',
    ]) {
      expect(() => ask(bad)).toThrow(
        expect.objectContaining({
          failure: 'metadata_invalid',
          message: expect.stringContaining(`has the "introspection_endpoint" "${bad}", which `) as string,
        }) as Error,
      );
      expect(validate({ ...DOCUMENT, introspection_endpoint: bad })).toBeDefined();
    }
    expect(() => ask()).toThrow(
      'has no "introspection_endpoint"; add it by "transpileData", or give it by the option "introspection.endpoint"',
    );
    expect(() => ask(7)).toThrow('names as "introspection_endpoint" what is not a string');
  });

  it('takes nothing from a prototype key', () => {
    const document = JSON.parse(
      `{"__proto__": {"issuer": "${ISSUER}", "jwks_uri": "https://a.example"}}`,
    ) as object;
    expect(() => validate(document)).toThrow('has no "issuer"');
  });
});
