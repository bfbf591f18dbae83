import { describe, expect } from 'vitest';
import type { AuthorizationServerOptions } from 'nestjs-mcp-auth';
import { makeTestKey, TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import type { HttpAnswer } from '../../fixtures/http.js';
import { startNotes } from '../../fixtures/notes-app.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, NOTES_METADATA } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

const INVALID_TOKEN = {
  status: 401,
  challenge: `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`,
  json: {
    error: 'invalid_token',
    error_description: 'The access token is invalid or expired',
    reason: 'malformed',
  },
};
const CLIENT = { clientId: 'resource-server', clientSecret: 'resource-server-secret' };
const BASE64URL = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

const rejection = ({ status, headers, json }: HttpAnswer): object => ({
  status,
  challenge: headers['www-authenticate'],
  json,
});

/** The part with another value in the bits that belong to no byte, each other value once. */
function otherTrailingBits(part: string): string[] {
  const unused = part.length % 4 === 2 ? 4 : part.length % 4 === 3 ? 2 : 0;
  const last = BASE64URL.indexOf(part.slice(-1));
  const first = (last >> unused) << unused;
  return Array.from({ length: 2 ** unused }, (_, bits) => first + bits)
    .filter((value) => value !== last)
    .map((value) => part.slice(0, -1) + BASE64URL.charAt(value));
}

/** Other spellings of one part of a JWS that a lenient decoder reads as the same bytes. */
function spellings(part: string): string[] {
  const padding = '='.repeat((4 - (part.length % 4)) % 4);
  const padded = ['=', '==', '===', padding].filter((end) => end !== '').map((end) => part + end);
  const base64 = part.replaceAll('-', '+').replaceAll('_', '/');
  return [...padded, ...otherTrailingBits(part), ...(base64 === part ? [] : [base64])];
}

describe('a JWT in another spelling', () => {
  verifies('WAY-33', 'is rejected, whichever part it is', async () => {
    const algorithms = ['RS256', 'ES256', 'ES512', 'EdDSA'];
    const keys = await Promise.all(algorithms.map((alg) => makeTestKey(alg)));
    const as = closeAfterTest(await TestAuthorizationServer.start({ keys }));
    const introspection = { mode: 'auto', introspection: CLIENT } as const;
    for (const server of [{}, introspection] as Partial<AuthorizationServerOptions>[]) {
      const app = await startNotes({
        resources: {
          resource: NOTES,
          authorizationServers: [{ issuer: as.issuer, ...server }],
        },
        showErrorDetails: true,
      });
      const ask = async (token: string): Promise<HttpAnswer> =>
        app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
      for (const alg of algorithms) {
        for (const sub of ['u', 'uv', 'uvw']) {
          const token = await as.issueToken({ audience: NOTES, sub, alg });
          const parts = token.split('.');
          expect([alg, sub, (await ask(token)).status]).toEqual([alg, sub, 200]);
          for (const spelling of spellings(parts[2] ?? '')) {
            const changed = [parts[0], parts[1], spelling].join('.');
            expect([changed, rejection(await ask(changed))]).toEqual([changed, INVALID_TOKEN]);
          }
          for (const at of [0, 1]) {
            for (const spelling of spellings(parts[at] ?? '')) {
              const changed = parts.map((part, index) => (index === at ? spelling : part)).join('.');
              // A header or a payload in another spelling is not what was signed, or is none.
              expect([changed, (await ask(changed)).status]).toEqual([changed, 401]);
            }
          }
          expect((await ask(token)).status).toBe(200);
        }
      }
    }
  });
});
