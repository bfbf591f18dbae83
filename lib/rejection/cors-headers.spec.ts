import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { completeCors, corsHeaders, preflightResponse } from './cors-headers.js';

const APP = 'https://app.example';

const allowedOf = (asked?: string): string | undefined =>
  preflightResponse(APP, asked).headers['Access-Control-Allow-Headers'];

describe('corsHeaders', () => {
  verifies(['CHL-19', 'F104'], 'lets a page of the origin read the challenge, and no other', () => {
    expect(corsHeaders(APP)).toEqual({
      'Access-Control-Allow-Origin': APP,
      Vary: 'Origin',
      'Access-Control-Expose-Headers': 'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, MCP-Protocol-Version',
    });
  });
});

describe('preflightResponse', () => {
  verifies(['CHL-19', 'F104'], 'allows what a client of MCP sends, by name and for this origin', () => {
    expect(preflightResponse(APP, 'authorization, content-type, mcp-protocol-version')).toEqual({
      status: 204,
      headers: {
        'Access-Control-Allow-Origin': APP,
        Vary: 'Origin, Access-Control-Request-Headers',
        'Access-Control-Allow-Methods': 'GET, POST, DELETE',
        'Access-Control-Allow-Headers': 'authorization, content-type, mcp-protocol-version',
        'Access-Control-Max-Age': '86400',
      },
    });
  });

  it.each([
    ...['Authorization', 'Content-Type', 'Accept', 'MCP-Protocol-Version', 'Mcp-Session-Id'],
    ...['Last-Event-ID', 'Mcp-Method', 'Mcp-Name', 'DPoP', 'Mcp-Param-x', "MCP-PARAM-A_1.b!'~"],
  ])('allows %s, in any case', (name) => {
    for (const asked of [name, name.toUpperCase(), ` ${name.toLowerCase()}\t`]) {
      expect(allowedOf(asked)).toBe(name.toLowerCase());
    }
  });

  it.each([
    ...[
      '*',
      'Authorizations',
      'X-Authorization',
      'Author ization',
      'Cookie',
      'Proxy-Authorization',
      'Mcp-Param-',
    ],
    ...[
      'Mcp-Param',
      'Mcp-Params-x',
      'X-Mcp-Param-x',
      'Mcp-Param-a b',
      'Mcp-Param-é',
      'Mcp-Param-a:b',
      'Mcp-Namé',
    ],
    ...['Mcp-Session', 'DPoP-Nonce', 'authorization;', '__proto__', ' ', ',,'],
  ])('does not allow %s, nor for it what stands beside it', (name) => {
    expect(allowedOf(name)).toBeUndefined();
    expect(allowedOf(`accept,${name},dpop`)).toBe('accept, dpop');
  });

  it('allows the header of API keys where there are keys', () => {
    const allowed = (asked: string, keyHeader?: string): string | undefined =>
      preflightResponse(APP, asked, keyHeader).headers['Access-Control-Allow-Headers'];
    expect(allowed('X-Api-Key, accept', 'x-api-key')).toBe('x-api-key, accept');
    expect(allowed('X-Api-Key, accept')).toBe('accept');
    expect(allowed('X-Api-Keys, accept', 'x-api-key')).toBe('accept');
  });

  it('names each header once, and none where none is asked for', () => {
    expect(allowedOf('accept,Accept, accept ,dpop')).toBe('accept, dpop');
    expect(allowedOf('')).toBeUndefined();
    expect(allowedOf()).toBeUndefined();
  });

  it('never allows any origin, nor credentials of the browser', () => {
    for (const headers of [corsHeaders(APP), preflightResponse(APP, '*').headers]) {
      expect(Object.values(headers)).not.toContain('*');
      expect(headers).not.toHaveProperty('Access-Control-Allow-Credentials');
    }
  });

  it('answers a list as long as a header may be without delay', () => {
    const asked = `${'mcp-param-a'.repeat(700)}${', accept'.repeat(900)}${' '.repeat(900)}`;
    const begun = performance.now();
    expect(allowedOf(asked)).toMatch(/^mcp-param-amcp-.*, accept$/);
    expect(performance.now() - begun).toBeLessThan(50);
  });
});

describe('completeCors', () => {
  const complete = (given: Record<string, unknown>): object => {
    const headers = new Map(Object.entries(given));
    completeCors('https://app.example', {
      get: (name) => headers.get(name),
      set: (name, value) => headers.set(name, value),
    });
    return Object.fromEntries(headers);
  };
  const exposed = 'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, MCP-Protocol-Version';

  verifies('CHL-19', 'gives a bare response all that a browser needs', () => {
    expect(complete({})).toEqual(corsHeaders('https://app.example'));
  });

  verifies(
    'CHL-19',
    'keeps what a CORS setting of the application has put there, and adds what is missing',
    () => {
      expect(
        complete({
          'Access-Control-Allow-Origin': '*',
          'Access-Control-Expose-Headers': ['X-One', 'X-Two'],
          Vary: 'Accept-Encoding',
        }),
      ).toEqual({
        'Access-Control-Allow-Origin': '*',
        'Access-Control-Expose-Headers': `X-One, X-Two, ${exposed}`,
        Vary: 'Accept-Encoding, Origin',
      });
    },
  );

  it('adds nothing twice', () => {
    const full = {
      'Access-Control-Allow-Origin': 'https://app.example',
      'Access-Control-Expose-Headers': 'x-one,www-authenticate',
      Vary: 'origin',
    };
    expect(complete(full)).toEqual(full);
    expect(complete({ ...full, 'Access-Control-Expose-Headers': 'WWW-Authenticates' })).toMatchObject({
      'Access-Control-Expose-Headers': `WWW-Authenticates, ${exposed}`,
    });
  });
});
