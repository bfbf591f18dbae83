import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { calculateJwkThumbprint, CompactSign, decodeJwt, FlattenedSign, type JWK, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { ProvingClient } from '../../test/fixtures/dpop.js';
import { verifies } from '../../test/verifies.js';
import { ProofRejectedError } from '../errors/rejection.errors.js';
import { verifyDpopProof } from './dpop-proof.js';
import { ProofKeys } from './proof-keys.js';

const URL = 'https://api.example.com/notes';
const TOKEN = 'token';
const client = await ProvingClient.make(URL);
const expected = {
  jkt: client.jkt,
  token: TOKEN,
  method: 'GET',
  url: URL,
  algorithms: ['ES256'],
  maxAgeSeconds: 300,
  nowSeconds: Date.now() / 1000,
};

/** Knows the client's usual header. */
const keys = new ProofKeys();
await verifyDpopProof(await client.proof({ token: TOKEN }), expected, keys);

/** Returns why a proof is rejected. A verifier that has seen the client's key must have the same reason. */
async function reasonFor(proof: string, more: Partial<typeof expected> = {}): Promise<string> {
  const reason = await reasonWith(new ProofKeys(), proof, more);
  expect(await reasonWith(keys, proof, more)).toBe(reason);
  return reason;
}

async function reasonWith(known: ProofKeys, proof: string, more: Partial<typeof expected>): Promise<string> {
  try {
    await verifyDpopProof(proof, { ...expected, ...more }, known);
    return 'accepted';
  } catch (error) {
    if (!(error instanceof ProofRejectedError)) throw error;
    return error.reason;
  }
}

describe('verifyDpopProof', () => {
  it('accepts a proof, and returns what has to be checked with a store', async () => {
    const proof = await client.proof({ token: TOKEN, claims: { jti: 'j', iat: 5, nonce: 'n' } });
    expect(await verifyDpopProof(proof, { ...expected, nowSeconds: 5 }, keys)).toEqual({
      jti: 'j',
      iat: 5,
      nonce: 'n',
    });
  });

  it('accepts nothing when the clock is broken or the request has no path', async () => {
    const proof = await client.proof({ token: TOKEN });
    expect(await reasonFor(proof)).toBe('accepted');
    expect(await reasonFor(proof, { nowSeconds: NaN })).toBe('proof_time');
    await expect(verifyDpopProof(proof, { ...expected, url: undefined }, keys)).rejects.toMatchObject({
      reason: 'proof_request',
    });
  });

  verifies('POP-10', 'rejects a known header for another key, algorithm or signature', async () => {
    const proof = await client.proof({ token: TOKEN });
    const other = await ProvingClient.make(URL);
    expect(await reasonFor(proof)).toBe('accepted');
    expect(await reasonFor(proof, { jkt: other.jkt })).toBe('proof_key');
    expect(await reasonFor(proof, { algorithms: ['ES384'] })).toBe('proof_algorithm');
    const [header] = proof.split('.');
    const [, payload, signature] = (await other.proof({ token: TOKEN })).split('.');
    expect(await reasonFor([header, payload, signature].join('.'))).toBe('proof_signature');
  });

  it('compares the time to the second, in both directions', async () => {
    for (const [iat, outcome] of [
      [1000 - 300, 'accepted'],
      [1000 + 300, 'accepted'],
      [1000 - 301, 'proof_time'],
      [1000 + 301, 'proof_time'],
    ] as const) {
      const proof = await client.proof({ token: TOKEN, claims: { iat } });
      expect([iat, await reasonFor(proof, { nowSeconds: 1000 })]).toEqual([iat, outcome]);
    }
  });

  it('rejects any text by its own error, and never by another', async () => {
    const part = fc.oneof(
      fc.string(),
      fc.base64String(),
      fc.json().map((text) => Buffer.from(text).toString('base64url')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 5 }), async (parts) => {
        expect(await reasonFor(parts.join('.'))).toMatch(/^proof_/);
      }),
      { numRuns: 2000 },
    );
  });

  it('rejects any header and payload beside the right ones, signed with the right key', async () => {
    const member = fc.constantFrom('htm', 'htu', 'iat', 'jti', 'ath');
    await fc.assert(
      fc.asyncProperty(member, fc.jsonValue(), async (name, value) => {
        fc.pre(
          value !== 'GET' && value !== URL && !(name === 'jti' && typeof value === 'string' && value !== ''),
        );
        expect(await reasonFor(await client.proof({ token: TOKEN, claims: { [name]: value } }))).toMatch(
          /^proof_/,
        );
      }),
      { numRuns: 300 },
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('typ', 'jwk', 'crit'), fc.jsonValue(), async (name, value) => {
        const [, payload, signature] = (await client.proof({ token: TOKEN })).split('.');
        const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: client.jwk, [name]: value };
        const changed = Buffer.from(JSON.stringify(header)).toString('base64url');
        expect(await reasonFor([changed, payload, signature].join('.'))).toMatch(/^proof_/);
      }),
      { numRuns: 300 },
    );
  });

  verifies('POP-03', 'gives each fault its reason, and accepts its nearest neighbour', async () => {
    const reason = (claims: object, header: object = {}): Promise<string> =>
      client.proof({ token: TOKEN, claims: { ...claims }, header: { ...header } }).then(reasonFor);
    for (const [claims, outcome] of [
      [{ more: 'x'.repeat(2300) }, 'accepted'],
      [{ more: 'x'.repeat(2800) }, 'proof_malformed'],
      [{ jti: 'x'.repeat(256) }, 'accepted'],
      [{ jti: 'x'.repeat(257) }, 'proof_malformed'],
      [{ jti: '' }, 'proof_malformed'],
      [{ jti: ['j'] }, 'proof_malformed'],
      [{ htm: ['GET'] }, 'proof_malformed'],
      [{ htm: 'get' }, 'proof_request'],
      [{ htu: [URL] }, 'proof_malformed'],
      [{ htu: `${URL}/` }, 'proof_request'],
      [{ iat: String(Math.floor(expected.nowSeconds)) }, 'proof_malformed'],
      [{ ath: createHash('sha256').update('other').digest('base64url') }, 'proof_token'],
    ] as const) {
      const said = JSON.stringify(claims).slice(0, 60);
      expect([said, await reason(claims)]).toEqual([said, outcome]);
    }
    expect(await reason({}, { typ: 'DPOP+JWT' })).toBe('accepted');
    expect(await reason({}, { typ: 'JWT' })).toBe('proof_malformed');
    for (const member of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'])
      expect(await reason({}, { jwk: { ...client.jwk, [member]: 'AA' } })).toBe('proof_key');
    expect(await reason({}, { jwk: { ...client.jwk, kid: 'k' } })).toBe('accepted');
    const proof = await client.proof({ token: TOKEN });
    expect(await reasonFor(proof, { algorithms: ['ES384'] })).toBe('proof_algorithm');
    const { jkt } = await ProvingClient.make(URL);
    expect(await reasonFor(proof, { jkt })).toBe('proof_key');
    const nowhere = { ...expected, url: undefined };
    const unreadable = await client.proof({ token: TOKEN, claims: { htu: 'x' } });
    await expect(verifyDpopProof(unreadable, nowhere, keys)).rejects.toMatchObject({
      reason: 'proof_request',
    });
  });

  verifies('POP-03', 'looks at no key that takes long to verify, or that is none', async () => {
    const outcome = async (jwk: JWK): Promise<string> =>
      reasonFor(
        [JSON.stringify({ typ: 'dpop+jwt', alg: 'RS256', jwk }), '{}', 'signature']
          .map((part) => Buffer.from(part).toString('base64url'))
          .join('.'),
        { algorithms: ['RS256'], jkt: await calculateJwkThumbprint(jwk) },
      );
    expect(await outcome({ kty: 'RSA', n: 'x'.repeat(683), e: 'AQAB' })).toBe('proof_signature');
    expect(await outcome({ kty: 'RSA', n: 'x'.repeat(683), e: 'AAAQAB' })).toBe('proof_signature');
    for (const jwk of [
      { kty: 'RSA', n: 'x'.repeat(684), e: 'AQAB' },
      { kty: 'RSA', n: 'x'.repeat(683), e: 'x'.repeat(7) },
      { kty: 'AKP', alg: 'ML-DSA-44', pub: 'AAAA' },
    ])
      expect(await outcome(jwk)).toBe('proof_key');
  });

  it('rejects a key that does not fit the algorithm of its header', async () => {
    const { kty, crv, x, y } = client.jwk;
    const outcome = async (jwk: JWK): Promise<string> =>
      reasonFor(await client.proof({ token: TOKEN, header: { jwk } }), {
        jkt: await calculateJwkThumbprint(jwk),
      });
    expect(await outcome({ kty, crv, x, y } as JWK)).toBe('accepted');
    expect(await outcome({ kty: 'OKP', crv: 'Ed25519', x } as JWK)).toBe('proof_key');
  });

  verifies('POP-70', 'rejects other spellings of a proof, with the same signature', async () => {
    const proof = await client.proof({ token: TOKEN });
    const [head = '', payload = '', signature = ''] = proof.split('.');
    const [begin, end] = [signature.slice(0, 9), signature.slice(9)];
    for (const spelling of [
      ...[`${proof}==`, `${proof} `, `${proof}\n`, ` ${proof}`, `${proof}.`, `${head}.${payload}`],
      ...[`${head}.${payload}.${begin} ${end}`, `${head}.${payload}.${begin}\t${end}`],
      ...[`${head}.${payload}=.${signature}`, `${head}=.${payload}.${signature}`],
    ])
      expect([spelling, await reasonFor(spelling)]).toEqual([spelling, 'proof_malformed']);
    expect(await reasonFor(`${head}.${payload}.`)).toBe('proof_signature');
    expect(await reasonFor(proof)).toBe('accepted');
  });

  verifies('POP-70', 'rejects a proof whose payload is not encoded', async () => {
    const { signer, ...claims } = {
      signer: client.key.privateKey,
      ...{ jti: 'j', htm: 'GET', iat: Math.floor(expected.nowSeconds) },
      // A compact JWS has no dots in its payload.
      htu: URL.replaceAll('.', '%2E'),
      ath: createHash('sha256').update(TOKEN).digest('base64url'),
    };
    const encoded = await client.proof({ token: TOKEN, claims });
    expect(await reasonFor(encoded)).toBe('accepted');
    const payload = JSON.stringify(claims);
    const { protected: head = '', signature } = await new FlattenedSign(Buffer.from(payload))
      .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.jwk, b64: false, crit: ['b64'] })
      .sign(signer);
    expect(await reasonFor(`${head}.${payload}.${signature}`)).toBe('proof_malformed');
  });

  it('rejects a payload that is no object, and keys that cannot be used', async () => {
    const sign = (payload: Record<string, unknown>, jwk: object): Promise<string> =>
      new SignJWT(payload)
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk })
        .sign(client.key.privateKey);
    const { jti, htm, htu, iat, ath } = decodeJwt(await client.proof({ token: TOKEN }));
    const noUtf8 = JSON.stringify({ jti, htm, htu, iat, ath, more: '\xFF' });
    for (const payload of ['null', '5', '"text"', 'no JSON', noUtf8]) {
      const proof = await new CompactSign(Buffer.from(payload, 'latin1'))
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'ES256', jwk: client.jwk })
        .sign(client.key.privateKey);
      expect(await reasonFor(proof)).toBe('proof_malformed');
    }
    for (const jwk of [
      { ...client.jwk, use: 'enc' },
      { ...client.jwk, k: 'AAAA' },
      { kty: 'oct', k: 'AAAA' },
      { kty: 'RSA', n: 'x'.repeat(684), e: 'AQAB' },
      { kty: 'RSA', n: 'AQAB', e: 'x'.repeat(7) },
      { kty: 'EC', crv: 'P-256', x: 1, y: 2 },
      [],
    ])
      expect(await reasonFor(await sign({}, jwk))).toMatch(/^proof_(key|malformed)$/);
  });
});
