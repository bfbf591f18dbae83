import { exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import type { DpopOptions } from 'nestjs-mcp-auth';
import { defaultPlatform, type RunningApp } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { ProvingClient } from '../../fixtures/dpop.js';
import { dpopRejections, PROOF_ALGORITHMS } from '../../fixtures/dpop-rejections.js';
import type { HttpAnswer } from '../../fixtures/http.js';
import { INITIALIZE, MCP_HEADERS } from '../../fixtures/mcp-endpoint.js';
import { type Rejected, rejectedAs } from '../../fixtures/notes-rejections.js';
import { message } from '../../fixtures/operations-app.js';
import { NOTES, NOTES_METADATA, PRM } from '../../fixtures/resources.js';
import { asModern, startTransport } from '../../fixtures/transport-operations.js';
import { type Era, TRANSPORTS } from '../../fixtures/transports.js';
import { verifies } from '../../verifies.js';

/**
 * The scenario `auth/dpop-server-validation` of the MCP conformance tests for servers: pull request 395, issue 369. Its checks
 * have their ids and names here. It accepts any 401 with the right challenge; here the whole rejection is compared.
 */
const SCENARIO = 'auth/dpop-server-validation';

const OTHER = 'https://not-this-server.example.com/mcp';
const REJECTED = dpopRejections(NOTES_METADATA, 'notes:read');

type Dpop = 'allowed' | 'required' | DpopOptions;

const NONCES: DpopOptions = { mode: 'required', nonce: { secrets: ['s'.repeat(43)] } };

/** What the scenario sends: `initialize`, or with MCP 2026-07-28, which has no handshake, `tools/list`. */
const PROBES: Record<Era, { body: object; headers: Record<string, string> }> = {
  '2025-11-25': { body: INITIALIZE, headers: MCP_HEADERS },
  '2026-07-28': (() => {
    const { body, headers } = asModern(message('tools/list', {}));
    return { body, headers: { ...MCP_HEADERS, 'mcp-protocol-version': '2026-07-28', ...headers } };
  })(),
};

/** The framework as a DPoP client of one endpoint. */
class Probe {
  /** The nonce of the last answer that had one; each proof has it. */
  nonce: string | undefined;

  private constructor(
    private readonly app: RunningApp,
    private readonly era: Era,
    readonly as: LoopbackAuthorizationServer,
    readonly client: ProvingClient,
    /** A good token that is bound to the key of the client. */
    readonly token: string,
  ) {}

  static async start(transport: (typeof TRANSPORTS)[number], dpop: Dpop): Promise<Probe> {
    const as = await LoopbackAuthorizationServer.start();
    const place = { issuer: as.issuer, dpop };
    const app = await startTransport(place, transport, defaultPlatform, { showErrorDetails: true });
    const client = await ProvingClient.make(NOTES);
    const token = await as.token({ aud: NOTES, scope: 'notes:read', cnf: { jkt: client.jkt } });
    return new Probe(app, transport.era, as, client, token);
  }

  /** A good proof but for these parts. */
  proof(claims: object = {}, header: object = {}, token = this.token): Promise<string> {
    const nonce = this.nonce === undefined ? {} : { nonce: this.nonce };
    return this.client.proof({ token, claims: { htm: 'POST', ...nonce, ...claims }, header: { ...header } });
  }

  async send(authorization?: string, dpop?: string | string[]): Promise<HttpAnswer> {
    const { body, headers } = PROBES[this.era];
    const credentials = { ...(authorization && { authorization }), ...(dpop && { dpop }) };
    const answer = await this.app.send('/notes', {
      method: 'POST',
      headers: { ...headers, ...credentials },
      body,
    });
    this.nonce = answer.headers['dpop-nonce']?.toString() ?? this.nonce;
    return answer;
  }

  metadata(): Promise<HttpAnswer> {
    return this.app.send(`${PRM}/notes`);
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.as.close();
  }
}

/** The credentials of a request with a defect. */
type Defect = (probe: Probe) => Promise<readonly [authorization: string, dpop: string | string[]]>;

const withProof =
  (make: (probe: Probe) => Promise<string | string[]>): Defect =>
  async (probe) => [`DPoP ${probe.token}`, await make(probe)];

const claims = (changes: object): Defect => withProof((probe) => probe.proof(changes));
const header = (changes: object): Defect => withProof((probe) => probe.proof({}, changes));
const madeAt = (secondsFromNow: number): Defect =>
  withProof((probe) => probe.proof({ iat: Math.floor(Date.now() / 1000) + secondsFromNow }));

const tampered = withProof(async (probe) => {
  const [head, body, signature = ''] = (await probe.proof()).split('.');
  return [head, body, (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)].join('.');
});

/** Defects of a proof by the name of the check, and the reason of the rejection. */
const PROOFS: readonly (readonly [name: string, defect: Defect, reason: string])[] = [
  ['RejectsTamperedSignature', tampered, 'proof_signature'],
  ['RejectsMissingJti', claims({ jti: undefined }), 'proof_malformed'],
  ['RejectsWrongTyp', header({ typ: 'jwt' }), 'proof_malformed'],
  ['RejectsHtuMismatch', claims({ htu: 'https://wrong.example.com/mcp' }), 'proof_request'],
  ['RejectsHtmMismatch', claims({ htm: 'GET' }), 'proof_request'],
  [
    'RejectsPrivateKeyInJwk',
    withProof(async (probe) => probe.proof({}, { jwk: await exportJWK(probe.client.key.privateKey) })),
    'proof_key',
  ],
  ['RejectsWrongAth', claims({ ath: 'not-the-right-hash' }), 'proof_token'],
  [
    'RejectsDuplicateDpopHeader',
    withProof(async (probe) => [await probe.proof(), await probe.proof()]),
    'proof_malformed',
  ],
  ['RejectsMissingHtm', claims({ htm: undefined }), 'proof_malformed'],
  ['RejectsMissingHtu', claims({ htu: undefined }), 'proof_malformed'],
  ['RejectsMissingIat', claims({ iat: undefined }), 'proof_malformed'],
  ['RejectsMissingJwk', header({ jwk: undefined }), 'proof_key'],
  ['RejectsAthAbsent', claims({ ath: undefined }), 'proof_token'],
  ['RejectsMalformedProof', withProof(() => Promise.resolve('this-is-not-a-jwt')), 'proof_malformed'],
  [
    'RejectsCnfJktMismatch',
    async (probe: Probe) => {
      const { jkt } = await ProvingClient.make(NOTES);
      const token = await probe.as.token({ aud: NOTES, scope: 'notes:read', cnf: { jkt } });
      return [`DPoP ${token}`, await probe.proof({}, {}, token)];
    },
    'proof_key',
  ],
];

/** The checks by id and name, what they send, and how it is rejected. */
const CHECKS: readonly (readonly [id: string, name: string, defect: Defect, rejection: Rejected])[] = [
  ...PROOFS.map(
    ([name, defect, reason]) =>
      ['sep-1932-server-validate-proof', name, defect, REJECTED.proof(reason)] as const,
  ),
  [
    'sep-1932-server-validate-proof',
    'RejectsBearerScheme',
    async (probe) => [`Bearer ${probe.token}`, await probe.proof()],
    REJECTED.token('sender_constrained'),
  ],
  ['sep-1932-server-iat-window', 'RejectsStaleIat', madeAt(-303), REJECTED.proof('proof_time')],
  ['sep-1932-server-iat-window', 'RejectsFutureIat', madeAt(303), REJECTED.proof('proof_time')],
  [
    'sep-1932-asymmetric-alg-only',
    'RejectsAlgNone',
    withProof(async (probe) => {
      const [, body] = (await probe.proof()).split('.');
      const head = { typ: 'dpop+jwt', alg: 'none', jwk: probe.client.jwk };
      return `${Buffer.from(JSON.stringify(head)).toString('base64url')}.${body ?? ''}.`;
    }),
    REJECTED.proof('proof_algorithm'),
  ],
  [
    'sep-1932-asymmetric-alg-only',
    'RejectsAlgSymmetric',
    withProof(async (probe) => {
      const [, body = ''] = (await probe.proof()).split('.');
      const payload = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>;
      return new SignJWT(payload)
        .setProtectedHeader({ typ: 'dpop+jwt', alg: 'HS256', jwk: probe.client.jwk })
        .sign(new TextEncoder().encode('a secret of the client and nobody else'));
    }),
    REJECTED.proof('proof_algorithm'),
  ],
  [
    'sep-1932-server-audience-validation',
    'RejectsWrongAudience',
    async (probe) => {
      const { jkt } = probe.client;
      const token = await probe.as.token({ aud: OTHER, scope: 'notes:read', cnf: { jkt } });
      return [`DPoP ${token}`, await probe.proof({}, {}, token)];
    },
    REJECTED.token('audience', 'DPoP'),
  ],
  ['sep-1932-server-reject-401', 'RejectsWith401Challenge', tampered, REJECTED.proof('proof_signature')],
];

/** Of one application for each package. */
const ENDPOINTS = TRANSPORTS.filter(({ name }) =>
  ['mcp-nest own controller', 'SDK v2 controller'].includes(name),
);

describe.each([
  ['dpop "allowed"', 'allowed', false],
  ['dpop "required"', 'required', true],
  ['nonces', NONCES, true],
] as const)(`${SCENARIO} with %s`, (what, dpop, isRequired) => {
  describe.each(ENDPOINTS)('at $name, MCP $era', (transport) => {
    let probe: Probe;

    /** A good request, again with the nonce if one is asked for. */
    async function acceptValid(): Promise<HttpAnswer> {
      const first = await probe.send(`DPoP ${probe.token}`, await probe.proof());
      return first.status === 401 ? probe.send(`DPoP ${probe.token}`, await probe.proof()) : first;
    }

    beforeAll(async () => {
      probe = await Probe.start(transport, dpop);
      expect((await acceptValid()).status).toBe(200);
    });

    afterAll(() => probe.close());

    verifies('POP-24', 'sep-1932-server-advertises-dpop: AdvertisesDpop', async () => {
      const { status, headers } = await probe.send();
      expect([status, headers['www-authenticate']]).toEqual([
        401,
        `Bearer scope="notes:read", resource_metadata="${NOTES_METADATA}", DPoP algs="${PROOF_ALGORITHMS}"`,
      ]);
    });

    verifies('POP-24', 'sep-1932-server-prm-dpop: PrmDpop', async () => {
      expect((await probe.metadata()).json).toMatchObject({
        dpop_signing_alg_values_supported: PROOF_ALGORITHMS.split(' '),
        dpop_bound_access_tokens_required: isRequired,
      });
    });

    verifies('POP-24', 'sep-1932-server-prm-consistency: PrmConsistency', async () => {
      const unbound = await probe.as.token({ aud: NOTES, scope: 'notes:read' });
      const answer = await probe.send(`Bearer ${unbound}`);
      if (isRequired) expect(rejectedAs(answer)).toEqual(REJECTED.token('not_bound'));
      else expect(answer.status).toBe(200);
    });

    verifies('POP-24', 'sep-1932-server-validate-proof: AcceptsValidProof', async () => {
      const answer = await acceptValid();
      expect([answer.status, answer.text]).toEqual([200, expect.stringContaining('"result"')]);
    });

    for (const [id, name, defect, rejection] of CHECKS) {
      verifies('POP-24', `${id}: ${name}`, async () => {
        expect(rejectedAs(await probe.send(...(await defect(probe))))).toEqual(rejection);
        expect((await acceptValid()).status).toBe(200);
      });
    }

    // The scenario warns of the one whose client used the scheme Bearer: its error is in the Bearer challenge.
    verifies('POP-24', 'sep-1932-server-error-code: ReportsDpopErrorCode', async () => {
      const silent: string[] = [];
      for (const [, name, defect] of CHECKS) {
        const { headers } = await probe.send(...(await defect(probe)));
        const [bearer = '', own = ''] = (headers['www-authenticate'] ?? '').split(', DPoP ');
        if (/^error="invalid_(?:dpop_proof|token)"/.test(own)) continue;
        silent.push(name);
        expect(bearer).toContain('Bearer error="invalid_token"');
      }
      expect(silent).toEqual(['RejectsBearerScheme']);
    });

    verifies('POP-24', 'sep-1932-server-nonce: NonceFlow', async () => {
      const send = async (nonce: unknown): Promise<HttpAnswer> =>
        probe.send(`DPoP ${probe.token}`, await probe.proof({ nonce }));
      const first = await send(undefined);
      // The scenario skips the rest where no nonce is asked for.
      if (what !== 'nonces') {
        expect(first.status).toBe(200);
        return;
      }
      expect(rejectedAs(first)).toEqual(REJECTED.nonce);
      expect((await send(first.headers['dpop-nonce'])).status).toBe(200);
      expect(rejectedAs(await send('definitely-not-the-server-nonce'))).toEqual(REJECTED.nonce);
    });

    // No check of the scenario, which leaves replays open.
    verifies('POP-11', 'a proof is accepted once', async () => {
      await acceptValid();
      const proof = await probe.proof();
      expect((await probe.send(`DPoP ${probe.token}`, proof)).status).toBe(200);
      const again = await probe.send(`DPoP ${probe.token}`, proof);
      expect(rejectedAs(again)).toEqual(REJECTED.proof('proof_replayed'));
    });
  });
});
