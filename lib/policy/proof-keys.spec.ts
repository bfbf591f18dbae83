import { generateKeyPair } from 'jose';
import { describe, expect, it } from 'vitest';
import { ProofKeys } from './proof-keys.js';

const { publicKey: key } = await generateKeyPair('ES256');

describe('ProofKeys', () => {
  it('finds a key by its thumbprint and its whole header only', () => {
    const keys = new ProofKeys();
    const added = { header: 'abc', alg: 'ES256', key };
    keys.add('thumbprint', added);
    expect(keys.find('thumbprint', 'abc')).toBe(added);
    expect(keys.find('thumbprint', 'abd')).toBeUndefined();
    expect(keys.find('thumbprint', 'abcd')).toBeUndefined();
    expect(keys.find('Thumbprint', 'abc')).toBeUndefined();
  });

  it('has one header for each thumbprint, and a limited number of thumbprints', () => {
    const keys = new ProofKeys();
    const added = (header: string): { header: string; alg: string; key: CryptoKey } => ({
      header,
      alg: 'ES256',
      key,
    });
    for (let index = 0; index < 4096; index += 1) keys.add(String(index), added('one'));
    keys.add('0', added('two'));
    expect(keys.find('0', 'one')).toBeUndefined();
    expect(keys.find('1', 'one')).toBeDefined();
    keys.add('more', added('one'));
    expect(keys.find('1', 'one')).toBeUndefined();
    expect(keys.find('0', 'two')).toBeDefined();
    expect(keys.find('2', 'one')).toBeDefined();
  });
});
