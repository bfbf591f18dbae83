import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { principalKey } from './principal-key.js';

describe('principalKey', () => {
  verifies(['CLM-06', 'OPS-11'], 'tells callers apart whose subject is the same', () => {
    const caller = { issuer: 'https://as1.example', subject: 'u1', clientId: 'c1' };
    const others = [
      { ...caller, issuer: 'https://as2.example' },
      { ...caller, clientId: 'c2' },
      { ...caller, subject: 'u2' },
      { ...caller, subject: undefined },
      { ...caller, subject: 'null' },
      { ...caller, subject: 'c1' },
      { ...caller, subject: 'u1","c1' },
      { ...caller, subject: 'u1", "x', clientId: '' },
      { issuer: 'https://as1.example","u1', subject: 'c1', clientId: '' },
      { ...caller, subject: 'U1' },
      { ...caller, subject: '\ud800' },
      { ...caller, subject: '\ufffd' },
    ];
    expect(new Set([caller, ...others].map(principalKey)).size).toBe(others.length + 1);
    expect(principalKey({ ...caller })).toBe(principalKey(caller));
  });
});
