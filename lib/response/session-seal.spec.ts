import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { SessionSeal } from './session-seal.js';

const [ONE, TWO] = ['1'.repeat(43), '2'.repeat(43)] as const;
const USE = { resource: 'https://api.example.com/notes', owner: 'o' };

describe('SessionSeal', () => {
  it('adds the HMAC-SHA-256 of label, resource, owner and id', () => {
    const message = '["nestjs-mcp-auth session 1","https://api.example.com/notes","o","a.b"]';
    const code = createHmac('sha256', ONE).update(message).digest('base64url');
    expect(new SessionSeal([ONE]).seal('a.b', USE)).toBe(`a.b.${code}`);
  });

  it('opens for the same use alone', () => {
    const seal = new SessionSeal([ONE]);
    const sealed = seal.seal('a', USE);
    expect(seal.open(sealed, USE)).toBe('a');
    expect(seal.open(sealed, { ...USE, owner: '' })).toBeUndefined();
    expect(seal.open(sealed, { ...USE, resource: `${USE.resource}/` })).toBeUndefined();
  });

  it('keeps apart what stands side by side', () => {
    const seal = new SessionSeal([ONE]);
    const sealed = seal.seal('a","b', { resource: 'r', owner: 'o","' });
    expect(seal.open(sealed, { resource: 'r', owner: 'o","' })).toBe('a","b');
    expect(seal.open(sealed, { resource: 'r","o', owner: '' })).toBeUndefined();
    expect(
      seal.open(seal.seal('b', { resource: 'r', owner: '' }), { resource: '', owner: 'r' }),
    ).toBeUndefined();
  });

  it('seals with the first secret and opens with each', () => {
    const [old, both, next] = [new SessionSeal([ONE]), new SessionSeal([TWO, ONE]), new SessionSeal([TWO])];
    expect(both.open(old.seal('a', USE), USE)).toBe('a');
    expect(both.seal('a', USE)).toBe(next.seal('a', USE));
    expect(old.open(both.seal('a', USE), USE)).toBeUndefined();
  });

  it('does not open characters that only look like a code once they are cut to bytes', () => {
    const seal = new SessionSeal([ONE]);
    const sealed = seal.seal('a', USE);
    const wide = String.fromCharCode(sealed.charCodeAt(5) + 0x100);
    expect(seal.open(sealed.slice(0, 5) + wide + sealed.slice(6), USE)).toBeUndefined();
    expect(seal.open(`${sealed}\n`, USE)).toBeUndefined();
  });

  it('does not show its secrets', () => {
    expect(inspect(new SessionSeal([ONE]), { depth: 9, showHidden: true })).not.toContain('1111');
  });
});
