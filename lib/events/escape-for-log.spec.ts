import { describe, expect, it } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { describeFault, describeThrown, escapeForLog } from './escape-for-log.js';

const JWT = 'eyJhbGciOiJSUzI1NiIsImtpZCI6ImsxIn0.eyJzdWIiOiJ1MSJ9.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg';

describe('escapeForLog', () => {
  verifies('OPS-06', 'lets no value look like a line of its own', () => {
    expect(escapeForLog('x\n{fake}')).toBe('x\\u000a{fake}');
    expect(escapeForLog('a\r\nb\u0085c\u2028d\u2029e')).toBe('a\\u000d\\u000ab\\u0085c\\u2028d\\u2029e');
    expect(escapeForLog('\u001b[31mred\u0000')).toBe('\\u001b[31mred\\u0000');
    expect(escapeForLog('\u202Egnp.exe\u200B\uFEFF')).toBe('\\u202egnp.exe\\u200b\\ufeff');
    expect(escapeForLog('\ud800 \u{e0041}')).toBe('\\ud800 \\u{e0041}');
  });

  it('leaves readable text as it is', () => {
    for (const text of ['', 'https://as.example: answered 500 (café, 日本, 😀)', 'eyJ', 'eyJa.b']) {
      expect(escapeForLog(text)).toBe(text);
    }
  });

  verifies('OPS-06', 'leaves out what looks like a token, whole or in part', () => {
    expect(escapeForLog(`bad token ${JWT}, again ${JWT.split('.')[1] ?? ''}${'x'.repeat(9)}`)).toBe(
      'bad token [token], again [token]',
    );
    expect(escapeForLog(`eyJ${'a'.repeat(9000)}.b.c`)).toBe('[token]');
  });

  verifies('OPS-06', 'leaves out what it is told to, before anything is cut off', () => {
    const secret = 'opaque+secret/x==';
    const encoded = encodeURIComponent(secret);
    expect(escapeForLog(`a ${secret} b ${encoded} c`, [secret])).toBe('a [token] b [token] c');
    expect(escapeForLog(`${secret}${secret}`, ['other-secret', secret])).toBe('[token][token]');
    for (const before of [185, 3985]) {
      expect(escapeForLog('x'.repeat(before) + secret, [secret])).not.toContain(secret.slice(0, 4));
    }
    const long = 's'.repeat(1500);
    expect(escapeForLog(long.repeat(4), [long])).toBe('[token]'.repeat(4));
    expect(describeFault(new Error(secret), [secret])).toContain('Error: [token]');
  });

  it('cuts off after 200 characters, in linear time', () => {
    expect(escapeForLog('a'.repeat(200))).toBe('a'.repeat(200));
    expect(escapeForLog('a'.repeat(201))).toBe(`${'a'.repeat(200)}…`);
    const started = performance.now();
    escapeForLog('eyJ.'.repeat(2_000_000));
    escapeForLog('eyJ'.repeat(2_000_000));
    // In quadratic time it would take minutes.
    expect(performance.now() - started).toBeLessThan(5000);
  });
});

describe('describeThrown', () => {
  it('has name and message of an error, and only the type of anything else', () => {
    expect(describeThrown(new TypeError('no\nway'))).toBe('TypeError: no\\u000away');
    for (const thrown of [JWT, undefined, null, { secret: 1 }, Object.create(null)]) {
      expect(describeThrown(thrown)).toBe(`a value of type ${typeof thrown}`);
    }
  });
});

describe('describeFault', () => {
  it('adds where the error came through, and nothing else of its stack', () => {
    const error = new Error(`${JWT}\nforged line`);
    const [first, ...frames] = describeFault(error).split('\n');
    expect(first).toBe('Error: [token]\\u000aforged line');
    expect(frames.length).toBeGreaterThan(0);
    expect(frames.every((frame) => frame.startsWith('    at '))).toBe(true);
  });

  it('bears errors without a stack, and what is no error', () => {
    expect(describeFault(Object.assign(new Error('x'), { stack: undefined }))).toBe('Error: x');
    expect(describeFault('x')).toBe('a value of type string');
  });
});
