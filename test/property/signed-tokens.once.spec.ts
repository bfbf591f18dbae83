import { sign } from 'node:crypto';
import fc from 'fast-check';
import type { INestApplication } from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import {
  BearerAuthGuard,
  BearerException,
  McpAuthError,
  ProtectedResource,
  TokenRejectedError,
} from 'nestjs-mcp-auth';
import { makeTestKey, TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { describe, expect } from 'vitest';
import { toAuthInfo } from '../../lib/request/to-auth-info.js';
import { AccessTokenAuthenticator } from '../../lib/request/access-token.authenticator.js';
import type { ValidatedToken } from '../../lib/policy/validate-claims.js';
import { ProtectedResourceRegistry } from '../../lib/resource/protected-resource.registry.js';
import { type AttackedApp, REJECTED, startAttacked } from '../fixtures/attacked-app.js';
import { NotesController } from '../fixtures/notes.controller.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';
import { verifies } from '../verifies.js';
import { anyJson, bounded, laterOutcomeOf, objectWith } from './arbitraries.js';

// Signs faster than RSA.
const key = await makeTestKey('EdDSA', 'k1');

async function start(): Promise<AttackedApp> {
  const as = closeAfterTest(await TestAuthorizationServer.start({ keys: [key] }));
  return startAttacked({ as });
}

function signed(header: string, payload: string | Uint8Array): string {
  const input = [header, payload].map((part) => Buffer.from(part as string).toString('base64url')).join('.');
  return `${input}.${sign(null, Buffer.from(input), key.privateKey).toString('base64url')}`;
}

/** What the gate of an app says to a token for NOTES. */
function gateOf({ app }: AttackedApp): (token: string) => Promise<ValidatedToken | McpAuthError> {
  const gate = app.get(AccessTokenAuthenticator, { strict: false });
  const [resource] = app.get(ProtectedResourceRegistry, { strict: false }).all();
  return (token) =>
    laterOutcomeOf(async () => {
      const admitted = await gate.authenticate(token, resource!);
      toAuthInfo(token, admitted, resource!);
      return admitted;
    });
}

const headers = objectWith(
  'alg',
  'kid',
  'typ',
  'cty',
  'crit',
  'b64',
  'jwk',
  'jku',
  'x5c',
  'x5u',
  'zip',
  'enc',
);
const payloads = objectWith('iss', 'aud', 'sub', 'exp', 'nbf', 'iat', 'scope', 'cnf', 'act', 'jti', 'nonce');

describe('any token', () => {
  verifies('OPS-02', 'that is rightly signed is admitted for what it says, or rejected', async () => {
    const app = await start();
    const gate = gateOf(app);
    const { issuer } = app.as;
    const usual = { alg: 'EdDSA', kid: 'k1', typ: 'at+jwt' };
    const good = { iss: issuer, aud: NOTES, sub: 'u1', exp: Math.floor(Date.now() / 1000) + 3000 };
    const oneClaim = fc.tuple(fc.constantFrom('exp', 'nbf', 'scope', 'act', 'sub', 'cnf', 'x'), anyJson);
    const payload = fc.oneof(
      payloads.map((each) => JSON.stringify({ ...good, ...each })),
      oneClaim.map(([name, value]) => JSON.stringify({ ...good, [name]: value })),
      fc.nat(2500).map((depth) => `{"iss":"${issuer}","x":${'['.repeat(depth)}${']'.repeat(depth)}}`),
      anyJson.map((each) => JSON.stringify(each)),
      fc.uint8Array({ maxLength: 60 }),
    );
    const header = fc.oneof(
      fc.constant(usual),
      headers.map((each) => ({ ...usual, ...each })),
      headers,
    );
    const counts = { admitted: 0, rejected: 0 };
    const property = fc.asyncProperty(header, payload, async (fields, content) => {
      const outcome = await gate(signed(JSON.stringify(fields), content));
      if (outcome instanceof McpAuthError) {
        expect(outcome).toBeInstanceOf(TokenRejectedError);
        counts.rejected += 1;
      } else {
        expect(outcome.issuer).toBe(issuer);
        expect(outcome.expiresAt).toBeGreaterThan(Date.now() / 1000 - 5);
        counts.admitted += 1;
      }
    });
    await fc.assert(property, bounded(1000));
    expect(Math.min(counts.admitted, counts.rejected)).toBeGreaterThan(30);
    expect(app.canary.hits).toBe(0);
    await app.accepts(await app.mint());
  });

  verifies(['OPS-02', 'WAY-33'], 'with one byte changed is rejected', async () => {
    const app = await start();
    const gate = gateOf(app);
    const token = await app.mint();
    const property = fc.asyncProperty(fc.nat(token.length - 1), fc.nat(255), async (at, code) => {
      const changed = token.slice(0, at) + String.fromCharCode(code) + token.slice(at + 1);
      const outcome = await gate(changed);
      if (outcome instanceof McpAuthError) expect(outcome).toBeInstanceOf(TokenRejectedError);
      else expect(changed).toBe(token);
    });
    await fc.assert(property, bounded(1000));
    await app.accepts(token);
  });
});

/** The guard's own time for each of these Authorization headers, in milliseconds and in ascending order. */
async function timesOf(app: INestApplication, tokens: readonly string[]): Promise<number[]> {
  const guard = await app.get(ModuleRef).create(BearerAuthGuard);
  // eslint-disable-next-line @typescript-eslint/unbound-method -- what Nest gives a guard
  const handler = NotesController.prototype.list;
  const times: number[] = [];
  for (const token of tokens) {
    const headers: Record<string, unknown> = {};
    const response = { set: (name: string, value: unknown) => (headers[name] = value) };
    const rawHeaders = ['Authorization', `Bearer ${token}`];
    const request = { headers: {}, rawHeaders, url: '/notes' };
    const context = new ExecutionContextHost([request, response], Probe, handler);
    const started = performance.now();
    const outcome: unknown = await Promise.resolve()
      .then(() => guard.canActivate(context))
      .catch((error: unknown) => error);
    times.push(performance.now() - started);
    expect(outcome).toBeInstanceOf(BearerException);
    expect(headers['WWW-Authenticate']).toBe(REJECTED['/notes']);
  }
  return times.sort((one, two) => one - two);
}

@ProtectedResource(NOTES)
class Probe extends NotesController {}

describe('garbage', () => {
  verifies('OPS-03', 'is rejected within 5 ms, 99 times out of 100', async () => {
    const app = await start();
    await app.accepts(await app.mint());
    const json = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
    const claims = json({ iss: app.as.issuer, aud: NOTES });
    const kinds: readonly ((noise: string) => string)[] = [
      (noise) => noise,
      (noise) => `${noise}.${noise}.${noise}`,
      (noise) => noise.repeat(200),
      (noise) => 'a.'.repeat(2000) + noise,
      (noise) => `${json({ alg: 'EdDSA', kid: noise })}.${claims}.${noise}`,
      (noise) => `${json({ alg: 'none' })}.${claims}.${noise}`,
      (noise) => `${json({ alg: 'EdDSA' })}.${json({ iss: noise })}.${noise}`,
      (noise) => `${'['.repeat(2000)}${noise}`,
      (noise) => `${json({ alg: 'EdDSA' })}.${noise.repeat(100)}.${noise}`,
      (noise) => `${noise}${'='.repeat(4000)}x`,
    ];
    const garbage = (count: number): string[] =>
      Array.from({ length: count }, (_, index) => kinds[index % kinds.length]!(crypto.randomUUID()));
    await timesOf(app.app, garbage(100));
    // The least of several batches: other tests use the processor too.
    let slowest = Infinity;
    for (let batch = 0; batch < 10 && slowest >= 5; batch++)
      slowest = Math.min(slowest, (await timesOf(app.app, garbage(1000)))[989]!);
    expect(slowest).toBeLessThan(5);
    expect(app.runs()).toBeGreaterThan(0);
  });
});
