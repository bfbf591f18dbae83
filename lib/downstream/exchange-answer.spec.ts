import { describe, expect } from 'vitest';
import { verifies } from '../../test/verifies.js';
import { DownstreamTokenError } from '../errors/downstream-token.error.js';
import { readExchangeAnswer } from './exchange-answer.js';
import { ExchangeOutage } from './exchange-failures.js';
import { EXCHANGE_PRESETS } from './exchange-presets.js';

const ISSUER = 'https://as.example';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const GOOD = {
  access_token: 'new-token',
  issued_token_type: ACCESS_TOKEN,
  token_type: 'Bearer',
  expires_in: 60,
  scope: 'a  b',
};

interface Variant {
  readonly status?: number;
  readonly contentType?: string;
  readonly preset?: keyof typeof EXCHANGE_PRESETS;
}

const read = (json: unknown, { status = 200, contentType, preset = 'standard' }: Variant = {}) =>
  readExchangeAnswer(
    {
      status,
      contentType: contentType ?? 'application/json',
      body: typeof json === 'string' ? json : JSON.stringify(json),
    },
    {
      issuer: ISSUER,
      clientId: 'rs',
      preset: EXCHANGE_PRESETS[preset],
      subjectToken: 'sent-token',
    },
  );

/** What is wrong with an answer: reason, code and message, without the issuer. */
async function fault(...args: Parameters<typeof read>): Promise<unknown> {
  try {
    return await read(...args);
  } catch (error) {
    if (error instanceof ExchangeOutage) return `outage ${error.message}`;
    expect(error).toBeInstanceOf(DownstreamTokenError);
    const { reason, oauthError, message, cause } = error as DownstreamTokenError;
    expect([cause, /sent-token|new-token/.test(message)]).toEqual([undefined, false]);
    expect(message.startsWith(ISSUER)).toBe(true);
    return reason === 'rejected' ? `rejected ${String(oauthError)}` : message.slice(ISSUER.length + 29);
  }
}

describe('readExchangeAnswer', () => {
  verifies('DWN-01', 'reads token, lifetime and scopes', async () => {
    const right = { accessToken: 'new-token', expiresInSeconds: 60, scopes: ['a', 'b'] };
    expect(await read(GOOD)).toEqual(right);
    expect(await read({ ...GOOD, token_type: 'bearer', expires_in: '60' })).toEqual(right);
    expect(await read({ ...GOOD, expires_in: undefined, scope: undefined })).toEqual({
      ...{ accessToken: 'new-token', expiresInSeconds: undefined, scopes: undefined },
    });
  });

  verifies('DWN-09', 'rejects what is no bearer access token', async () => {
    for (const token_type of ['DPoP', 'dpop'])
      expect(await fault({ ...GOOD, token_type })).toMatch(/^with a token that is bound to a key/);
    for (const token_type of ['N_A', 'mac', '', 1, null, undefined])
      expect(await fault({ ...GOOD, token_type })).toMatch(/^wrongly \(/);
    for (const issued_token_type of [undefined, null, '', ACCESS_TOKEN.replace('access', 'refresh'), 1])
      expect(await fault({ ...GOOD, issued_token_type })).toBe(
        'with an "issued_token_type" that is not an access token',
      );
    for (const access_token of ['', 1, null, undefined, ['new-token']])
      expect(await fault({ ...GOOD, access_token })).toMatch(/^wrongly \(/);
    for (const access_token of ['a b', 'a\r\nX: y', 'ä', ' '])
      expect(await fault({ ...GOOD, access_token })).toBe('with an access token that no header can have');
    expect(await fault({ ...GOOD, access_token: 'sent-token' })).toBe('with the token that was sent');
    expect(await fault({ ...GOOD, scope: ['a'] })).toMatch(/^wrongly \(/);
  });

  verifies('DWN-09', 'rejects a lifetime that is none', async () => {
    for (const expires_in of [0, 0.5, 1e300, 2 ** 53])
      expect(await fault({ ...GOOD, expires_in })).toMatch(
        /^with an "expires_in" that is no positive number/,
      );
    for (const expires_in of [-1, null, 'soon', {}, [], true])
      expect(await fault({ ...GOOD, expires_in })).toMatch(/^wrongly \(/);
  });

  verifies('DWN-09', 'rejects what is no JSON object', async () => {
    for (const body of ['<html>sent-token</html>', '', '[]', '"new-token"', 'null', '{'])
      expect(await fault(body)).toMatch(/^wrongly \(/);
    expect(await fault('<html>sent-token</html>', { contentType: 'text/html' })).toMatch(/^wrongly \(/);
    expect(await fault('<html></html>', { status: 404, contentType: 'text/html' })).toMatch(/^wrongly \(/);
    expect(await fault({ nothing: 1 }, { status: 400 })).toMatch(/^wrongly \(/);
  });

  verifies('DWN-07', 'names the code of an error if it is well-formed', async () => {
    const codes = ['invalid_grant', 'invalid_target', 'consent_required', 'unauthorized_client'];
    for (const error of codes)
      for (const status of [400, 401, 403])
        expect(await fault({ error, suberror: 'bad_token' }, { status })).toBe(`rejected ${error}`);
    const bad = [
      'sent-token',
      'Bad',
      'a b',
      'x\ny',
      'new-token',
      '_a',
      `a${'b'.repeat(32)}`,
      'eyJhbGciOiJub25lIn0',
    ];
    for (const error of bad) expect(await fault({ error }, { status: 400 })).toBe('rejected undefined');
    for (const error of ['server_error', 'temporarily_unavailable'])
      expect(await fault({ error }, { status: 400 })).toBe(`outage ${error}`);
  });

  verifies('DWN-02', 'reads the answers of Entra', async () => {
    const preset = 'entra-on-behalf-of';
    const answer = { ...GOOD, issued_token_type: undefined };
    expect(await read(answer, { preset })).toMatchObject({ accessToken: 'new-token' });
    expect(await read(GOOD, { preset })).toMatchObject({ accessToken: 'new-token' });
    expect(await fault({ ...GOOD, issued_token_type: 'x' }, { preset })).toMatch(
      /^with an "issued_token_type"/,
    );
    const consent = { error: 'invalid_grant', suberror: 'consent_required' };
    expect(await fault(consent, { preset, status: 400 })).toBe('rejected consent_required');
    expect(await fault({ ...consent, suberror: 'bad_token' }, { preset, status: 400 })).toBe(
      'rejected invalid_grant',
    );
    expect(await fault(consent, { status: 400 })).toBe('rejected invalid_grant');
  });
});
