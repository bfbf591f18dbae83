import { Buffer } from 'node:buffer';
import { randomBytes } from 'node:crypto';
import { SignJWT } from 'jose';

export const RESOURCE = 'https://api.example.com/notes';
export const SCOPE = 'notes:read';

/** Long enough for every run, the ones that move the clock included. */
const LIFETIME_SECONDS = 7 * 86_400;
const SIGNATURE_BYTES = 256;

/** The claims of a good token; each has another `jti`. */
export function claims(issuer, overrides = {}) {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    aud: RESOURCE,
    sub: 'user-1',
    client_id: 'client-1',
    scope: `${SCOPE} offline_access`,
    iat: now,
    exp: now + LIFETIME_SECONDS,
    jti: randomBytes(12).toString('base64url'),
    ...overrides,
  };
}

/** A token with a good signature. */
export function sign({ privateKey, kid, issuer }, overrides = {}) {
  return new SignJWT(claims(issuer, overrides)).setProtectedHeader(header(kid)).sign(privateKey);
}

/** So many good tokens, each another. */
export async function signMany(server, count, overrides = () => ({})) {
  const tokens = [];
  for (let index = 0; index < count; index += 100) {
    const batch = Array.from({ length: Math.min(100, count - index) }, (_, offset) =>
      sign(server, overrides(index + offset)),
    );
    tokens.push(...(await Promise.all(batch)));
  }
  return tokens;
}

/** A token that names the right key and has a signature by nobody. */
export function forge({ kid, issuer }, overrides = {}) {
  return unsigned(header(kid), claims(issuer, overrides));
}

/** A token that names a key that nobody has. */
export function withUnknownKey({ issuer }) {
  return unsigned(header(randomBytes(9).toString('base64url')), claims(issuer));
}

/** What is no token: characters that a token may have, and by turns two dots. */
export function garbage(index) {
  const bytes = randomBytes(300).toString('base64url');
  return index % 2 === 0 ? bytes : `${bytes.slice(0, 40)}.${bytes.slice(40, 200)}.${bytes.slice(200)}`;
}

function header(kid) {
  return { alg: 'RS256', typ: 'at+jwt', kid };
}

function unsigned(protectedHeader, payload) {
  const parts = [protectedHeader, payload].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  return [...parts, randomBytes(SIGNATURE_BYTES).toString('base64url')].join('.');
}
