import { connect, type OutgoingHttpHeaders } from 'node:http2';
import { generateProof } from 'dpop';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  AuthInfo,
  BearerAuthGuard,
  BearerAuthMiddleware,
  type DpopOptions,
  type McpAuthModuleOptions,
  ProtectedResource,
  type ReplayStore,
} from 'nestjs-mcp-auth';
import { describe, expect, it } from 'vitest';
import { RecordingLogger, type RunningApp, start, startFailure } from '../../fixtures/app.js';
import type { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import { TestClock } from '../../fixtures/clock.js';
import { trusting } from '../../fixtures/discovery.js';
import { ProvingClient } from '../../fixtures/dpop.js';
import { type HttpAnswer, sendRaw } from '../../fixtures/http.js';
import { makeKey } from '../../fixtures/keys.js';
import { NOTES, NOTES_METADATA, ORIGIN, PRM } from '../../fixtures/resources.js';
import { rejectedAs } from '../../fixtures/notes-rejections.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519';
const BARE = `Bearer resource_metadata="${NOTES_METADATA}"`;

/** A DPoP challenge after the Bearer challenge, as clients join the two lines. */
const rejectedProof = (reason: string) => ({
  status: 401,
  challenge:
    `${BARE}, DPoP error="invalid_dpop_proof", ` +
    `error_description="The DPoP proof is missing or invalid", algs="${ALGORITHMS}"`,
  json: {
    error: 'invalid_dpop_proof',
    error_description: 'The DPoP proof is missing or invalid',
    reason,
  },
});

const rejectedToken = (reason: string, scheme = 'DPoP') => ({
  status: 401,
  challenge:
    `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", ` +
    `error_description="The access token is invalid or expired", DPoP ${scheme === 'DPoP' ? 'error="invalid_token", ' : ''}algs="${ALGORITHMS}"`,
  json: { error: 'invalid_token', error_description: 'The access token is invalid or expired', reason },
});

@Controller('notes')
@UseGuards(BearerAuthGuard)
class BindingController {
  @Get()
  caller(@AuthInfo() { binding, subject }: AuthInfo): object {
    return { binding, subject };
  }
}

/** `/notes/both` is below one resource and guarded for the other. */
@Controller('notes')
@UseGuards(BearerAuthGuard)
class TwoResources {
  @Get()
  @ProtectedResource('notes')
  notes(@AuthInfo() { binding }: AuthInfo): object {
    return { binding };
  }

  @Get('admin')
  @ProtectedResource('admin')
  admin(@AuthInfo() { binding }: AuthInfo): object {
    return { binding };
  }

  @Get('both')
  @ProtectedResource('admin')
  both(@AuthInfo() { binding }: AuthInfo): object {
    return { binding };
  }
}

interface Setting {
  readonly app: RunningApp;
  readonly as: LoopbackAuthorizationServer;
  readonly client: ProvingClient;
  readonly clock: TestClock;
  /** A token that is bound to the client's key. */
  readonly token: string;
  readonly ask: (headers: Record<string, string | string[]>) => Promise<HttpAnswer>;
}

async function setting(
  dpop: 'off' | 'allowed' | 'required' | DpopOptions,
  more: Partial<McpAuthModuleOptions> = {},
  alg?: string,
): Promise<Setting> {
  const as = await server();
  const clock = new TestClock();
  const { resources } = trusting(as.issuer);
  const app = await start(
    {
      resources: { ...(resources as object), dpop } as McpAuthModuleOptions['resources'],
      now: clock.now,
      showErrorDetails: true,
      ...more,
    },
    { controllers: [BindingController], log: new RecordingLogger() },
  );
  const client = await ProvingClient.make(NOTES, alg);
  const token = await as.token({ aud: NOTES, cnf: { jkt: client.jkt } });
  return { app, as, client, clock, token, ask: (headers) => app.send('/notes', { headers }) };
}

describe('a resource with dpop "allowed"', () => {
  verifies('POP-03', 'accepts a bound token with a proof, and says how it is bound', async () => {
    const { client, token, ask } = await setting('allowed');
    const { status, json } = await ask(await client.headers({ token }));
    expect([status, json]).toEqual([200, expect.objectContaining({ binding: 'jkt', subject: 'u1' })]);
  });

  verifies('POP-03', 'accepts proofs of the library for clients, by each algorithm', async () => {
    const { as, ask } = await setting('allowed');
    for (const alg of ['ES256', 'Ed25519', 'RS256', 'PS256']) {
      const { key, jkt } = await ProvingClient.make(NOTES, alg);
      const token = await as.token({ aud: NOTES, cnf: { jkt } });
      const publicKey = await crypto.subtle.importKey(
        'jwk',
        key.publicJwk as JsonWebKey,
        key.privateKey.algorithm,
        true,
        ['verify'],
      );
      const pair = { privateKey: key.privateKey, publicKey };
      const dpop = await generateProof(pair, NOTES, 'GET', undefined, token);
      expect((await ask({ authorization: `DPoP ${token}`, dpop })).status).toBe(200);
    }
  });

  verifies(
    'POP-08',
    'accepts a bearer token that is bound to nothing, and ignores a proof beside it',
    async () => {
      const { as, client, ask } = await setting('allowed');
      const token = await as.token({ aud: NOTES });
      const authorization = `Bearer ${token}`;
      expect((await ask({ authorization })).status).toBe(200);
      const { status, json } = await ask({ authorization, dpop: await client.proof({ token }) });
      expect([status, json]).toEqual([200, expect.not.objectContaining({ binding: 'jkt' })]);
    },
  );

  verifies(['POP-01', 'CHL-20'], 'rejects a bound token that is sent as a bearer token', async () => {
    const { client, token, ask } = await setting('allowed');
    const authorization = `Bearer ${token}`;
    const rejected = rejectedToken('sender_constrained', 'Bearer');
    expect(rejectedAs(await ask({ authorization }))).toEqual(rejected);
    const withProof = await ask({ authorization, dpop: await client.proof({ token }) });
    expect(rejectedAs(withProof)).toEqual(rejected);
  });

  verifies('POP-03', 'rejects a token that is bound to nothing under the scheme DPoP', async () => {
    const { as, client, ask } = await setting('allowed');
    const token = await as.token({ aud: NOTES });
    expect(rejectedAs(await ask(await client.headers({ token })))).toEqual(rejectedToken('not_bound'));
  });

  verifies(
    'POP-02',
    'rejects confirmations that it does not verify, also beside one that it does',
    async () => {
      const { as, client, ask } = await setting('allowed');
      const { jkt } = client;
      const unknown = [
        ...[{ foo: 1 }, {}, 'x', null, [], { jkt: 1 }, { jkt: `${jkt}A` }, { jkt: jkt.slice(1) }],
        ...[{ 'x5t#S256': jkt }, { jkt, 'x5t#S256': jkt }],
      ];
      for (const cnf of unknown) {
        const token = await as.token({ aud: NOTES, cnf });
        expect(rejectedAs(await ask(await client.headers({ token })))).toEqual(
          rejectedToken('sender_constrained'),
        );
      }
      const token = await as.token({ aud: NOTES, cnf: { jkt, other: 'member' } });
      expect((await ask(await client.headers({ token }))).status).toBe(200);
    },
  );

  verifies(
    ['CHL-20', 'POP-05'],
    'checks the audience, the time and the scopes of a bound token',
    async () => {
      const { as, client, ask } = await setting('allowed');
      const cnf = { jkt: client.jkt };
      const foreign = await as.token({ aud: `${NOTES}/x`, cnf });
      expect(rejectedAs(await ask(await client.headers({ token: foreign })))).toEqual(
        rejectedToken('audience'),
      );
      const expired = await as.token({ aud: NOTES, cnf, exp: Math.floor(Date.now() / 1000) - 60 });
      expect(rejectedAs(await ask(await client.headers({ token: expired })))).toEqual(
        rejectedToken('expired'),
      );
    },
  );

  verifies('CHL-20', 'has its challenge in a line of its own after the Bearer challenge', async () => {
    const { app } = await setting('allowed');
    const answer = await sendRaw(app.origin, 'GET /notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    const lines = answer.split('\r\n').filter((line) => /^www-authenticate:/i.test(line));
    expect(lines.map((line) => line.replace(/^www-authenticate: /i, ''))).toEqual([
      BARE,
      `DPoP algs="${ALGORITHMS}"`,
    ]);
  });

  verifies('POP-09', 'accepts the names of scheme and method as HTTP has them', async () => {
    const { client, token, ask } = await setting('allowed');
    const { dpop = '' } = await client.headers({ token });
    expect((await ask({ authorization: `dpop ${token}`, DPOP: dpop })).status).toBe(200);
    const lower = await client.headers({ token, claims: { htm: 'get' } });
    expect(rejectedAs(await ask(lower))).toEqual(rejectedProof('proof_request'));
  });

  verifies('POP-10', 'verifies the proof of a token that it has seen before, each time', async () => {
    const { client, token, ask } = await setting('allowed');
    for (let turn = 0; turn < 3; turn++)
      expect((await ask(await client.headers({ token }))).status).toBe(200);
    expect(rejectedAs(await ask({ authorization: `DPoP ${token}` }))).toEqual(rejectedProof('proof_missing'));
    const other = await ProvingClient.make(NOTES);
    expect(rejectedAs(await ask(await other.headers({ token })))).toEqual(rejectedProof('proof_key'));
  });

  describe('rejects', () => {
    /** Changes of a good proof, one at a time, and the reason of the rejection. */
    const MUTATIONS: Record<
      string,
      (client: ProvingClient, token: string) => Promise<[reason: string, proof: string]>
    > = {
      'another type': async (client, token) => [
        'proof_malformed',
        await client.proof({ token, header: { typ: 'jwt' } }),
      ],
      'no type': async (client, token) => [
        'proof_malformed',
        await client.proof({ token, header: { typ: undefined } }),
      ],
      'no key': async (client, token) => [
        'proof_key',
        await client.proof({ token, header: { jwk: undefined } }),
      ],
      'a private key': async (client, token) => [
        'proof_key',
        await client.proof({ token, header: { jwk: { ...client.jwk, d: 'AAAA' } } }),
      ],
      'the key of somebody else': async (client, token) => {
        const other = await ProvingClient.make(NOTES);
        return ['proof_key', await client.proof({ token, header: { jwk: other.jwk }, signer: other.key })];
      },
      'a signature by another key': async (client, token) => [
        'proof_signature',
        await client.proof({ token, signer: await makeKey('ES256') }),
      ],
      'a changed signature': async (client, token) => {
        const proof = await client.proof({ token });
        const [head = '', body = '', signature = ''] = proof.split('.');
        const first = signature.startsWith('A') ? 'B' : 'A';
        return ['proof_signature', [head, body, first + signature.slice(1)].join('.')];
      },
      'another method': async (client, token) => [
        'proof_request',
        await client.proof({ token, claims: { htm: 'POST' } }),
      ],
      'another path': async (client, token) => [
        'proof_request',
        await client.proof({ token, claims: { htu: `${NOTES}/` } }),
      ],
      'another origin': async (client, token) => [
        'proof_request',
        await client.proof({ token, claims: { htu: 'https://api.example.org/notes' } }),
      ],
      'the scheme http': async (client, token) => [
        'proof_request',
        await client.proof({ token, claims: { htu: 'http://api.example.com/notes' } }),
      ],
      'no URL': async (client, token) => [
        'proof_malformed',
        await client.proof({ token, claims: { htu: undefined } }),
      ],
      'no method': async (client, token) => [
        'proof_malformed',
        await client.proof({ token, claims: { htm: undefined } }),
      ],
      'no id': async (client, token) => [
        'proof_malformed',
        await client.proof({ token, claims: { jti: undefined } }),
      ],
      'an empty id': async (client, token) => [
        'proof_malformed',
        await client.proof({ token, claims: { jti: '' } }),
      ],
      'an id of 257 characters': async (client, token) => [
        'proof_malformed',
        await client.proof({ token, claims: { jti: 'x'.repeat(257) } }),
      ],
      'no time': async (client, token) => [
        'proof_malformed',
        await client.proof({ token, claims: { iat: undefined } }),
      ],
      'a time that is text': async (client, token) => [
        'proof_malformed',
        await client.proof({ token, claims: { iat: String(Math.floor(Date.now() / 1000)) } }),
      ],
      'no hash of the token': async (client, token) => [
        'proof_token',
        await client.proof({ token, claims: { ath: undefined } }),
      ],
      'the hash of another token': async (client, token) => [
        'proof_token',
        await client.proof({ token: `${token}x` }),
      ],
      'a critical extension': async (client, token) => {
        const proof = await client.proof({ token });
        const [head = '', ...rest] = proof.split('.');
        const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as object;
        const changed = Buffer.from(JSON.stringify({ ...header, crit: ['exp'], exp: 1 })).toString(
          'base64url',
        );
        return ['proof_key', [changed, ...rest].join('.')];
      },
      'more than 4096 characters': async (client, token) => [
        'proof_malformed',
        await client.proof({ token, claims: { more: 'x'.repeat(3000) } }),
      ],
      'two signatures in one line': async (client, token) => [
        'proof_malformed',
        `${await client.proof({ token })}, ${await client.proof({ token })}`,
      ],
      'no JWT': () => Promise.resolve(['proof_malformed', 'x']),
      'an empty line': () => Promise.resolve(['proof_malformed', '']),
    };

    for (const [what, mutate] of Object.entries(MUTATIONS)) {
      verifies('POP-03', `a proof with ${what}`, async () => {
        const { client, token, ask } = await setting('allowed');
        const [reason, dpop] = await mutate(client, token);
        const authorization = `DPoP ${token}`;
        expect(rejectedAs(await ask({ authorization, dpop }))).toEqual(rejectedProof(reason));
        expect((await ask(await client.headers({ token }))).status).toBe(200);
      });
    }

    verifies('POP-03', 'symmetric algorithms and "none"', async () => {
      const { client, token, ask } = await setting('allowed');
      const [, body = '', signature = ''] = (await client.proof({ token })).split('.');
      for (const alg of ['HS256', 'none', '', undefined, 'ES256K']) {
        const head = Buffer.from(JSON.stringify({ typ: 'dpop+jwt', alg, jwk: client.jwk })).toString(
          'base64url',
        );
        const answer = await ask({ authorization: `DPoP ${token}`, dpop: `${head}.${body}.${signature}` });
        expect(rejectedAs(answer)).toEqual(rejectedProof('proof_algorithm'));
      }
    });

    verifies('POP-11', 'two proofs, and a proof that was used before', async () => {
      const { client, token, ask } = await setting('allowed');
      const [one, two] = [await client.proof({ token }), await client.proof({ token })];
      const authorization = `DPoP ${token}`;
      expect(rejectedAs(await ask({ authorization, dpop: [one, two] }))).toEqual(
        rejectedProof('proof_malformed'),
      );
      expect((await ask({ authorization, dpop: one })).status).toBe(200);
      expect(rejectedAs(await ask({ authorization, dpop: one }))).toEqual(rejectedProof('proof_replayed'));
      expect((await ask({ authorization, dpop: two })).status).toBe(200);
    });

    verifies('POP-12', 'a proof a second too old or too new, and one at the limit passes', async () => {
      const { client, token, ask, clock } = await setting({ mode: 'allowed', proofMaxAgeSeconds: 60 });
      clock.stop();
      const now = Math.floor(clock.now().getTime() / 1000);
      const at = async (iat: number): Promise<HttpAnswer> =>
        ask(await client.headers({ token, claims: { iat } }));
      for (const iat of [now - 59, now + 60]) expect((await at(iat)).status).toBe(200);
      for (const iat of [now - 61, now + 62])
        expect(rejectedAs(await at(iat))).toEqual(rejectedProof('proof_time'));
    });

    verifies('POP-13', 'what Host and forwarding headers say of the URL', async () => {
      const { client, token, ask } = await setting('allowed');
      const forwarded = {
        host: 'evil.example',
        'x-forwarded-host': 'evil.example',
        'x-forwarded-proto': 'http',
        forwarded: 'host=evil.example;proto=http',
      };
      const evil = await client.headers({ token, claims: { htu: 'http://evil.example/notes' } });
      expect(rejectedAs(await ask({ ...forwarded, ...evil }))).toEqual(rejectedProof('proof_request'));
      expect((await ask({ ...forwarded, ...(await client.headers({ token })) })).status).toBe(200);
    });
  });

  verifies('POP-14', 'compares URLs as RFC 3986 normalizes them, without query and fragment', async () => {
    const { app, client, token } = await setting('allowed');
    const status = async (htu: string, path = '/notes'): Promise<number> =>
      (await app.send(path, { headers: await client.headers({ token, claims: { htu } }) })).status;
    for (const htu of [
      'HTTPS://API.example.com:443/notes',
      'https://api.example.com/x/../notes',
      'https://api.example.com/%6eotes',
      'https://api.example.com/notes?a=1#b',
    ])
      expect([htu, await status(htu)]).toEqual([htu, 200]);
    expect(await status(NOTES, '/notes?a=1')).toBe(200);
    for (const htu of ['https://api.example.com:444/notes', 'https://api.example.com/Notes', `${NOTES}%2f`])
      expect([htu, await status(htu)]).toEqual([htu, 401]);
    for (const htu of [
      'https://u:p@api.example.com/notes',
      String.raw`https:\\api.example.com\notes`,
      '/notes',
    ])
      expect([htu, await status(htu)]).toEqual([htu, 401]);
  });
});

describe('a resource with dpop "required"', () => {
  verifies('POP-08', 'rejects bearer tokens, and says in its metadata that they are', async () => {
    const { app, as, client, token, ask } = await setting('required');
    const bearer = await as.token({ aud: NOTES });
    expect(rejectedAs(await ask({ authorization: `Bearer ${bearer}` }))).toEqual(
      rejectedToken('not_bound', 'Bearer'),
    );
    expect((await ask(await client.headers({ token }))).status).toBe(200);
    expect((await app.send(`${PRM}/notes`)).json).toMatchObject({
      dpop_signing_alg_values_supported: ALGORITHMS.split(' '),
      dpop_bound_access_tokens_required: true,
    });
  });
});

describe('the metadata of a resource', () => {
  verifies('POP-06', 'names the algorithms of proofs where they are accepted, and nothing else', async () => {
    const off = await setting('off');
    const without = (await off.app.send(`${PRM}/notes`)).json as object;
    expect(Object.keys(without).filter((name) => name.startsWith('dpop'))).toEqual([]);
    const some = await setting({ mode: 'allowed', algorithms: ['ES256', 'EdDSA'] });
    const { json } = await some.app.send(`${PRM}/notes`);
    expect(json).toMatchObject({
      dpop_signing_alg_values_supported: ['ES256', 'EdDSA'],
      dpop_bound_access_tokens_required: false,
    });
  });

  verifies('POP-06', 'can have no symmetric algorithm, and only what the option says', async () => {
    const as = await server();
    const withResource = (more: object): Promise<Error> =>
      startFailure({ resources: { resource: NOTES, authorizationServers: [as.issuer], ...more } });
    for (const alg of ['HS256', 'none']) {
      const { message } = await withResource({ dpop: { mode: 'allowed', algorithms: [alg] } });
      expect(message).toContain('resources[0].dpop.algorithms: member 0 must be one of RS256');
    }
    const { message } = await withResource({ metadata: { dpop_bound_access_tokens_required: true } });
    expect(message).toContain(
      '"dpop_bound_access_tokens_required" is given by the option "dpop"; leave it out here',
    );
    expect((await withResource({ dpop: 'on' })).message).toContain(
      'resources[0].dpop: must be off, allowed, required or an object; got "on"',
    );
  });
});

describe('a resource with dpop "off"', () => {
  verifies('POP-01', 'knows no scheme DPoP', async () => {
    const { client, token, ask } = await setting('off');
    expect(rejectedAs(await ask(await client.headers({ token })))).toEqual({
      status: 401,
      challenge: BARE,
      json: {
        error: 'missing_token',
        error_description: 'Send an access token: Authorization: Bearer TOKEN',
        reason: 'unsupported_scheme',
      },
    });
  });
});

describe('nonces', () => {
  const [CURRENT, BEFORE] = ['a'.repeat(43), 'b'.repeat(43)] as const;
  const withSecrets = (...secrets: [string, string?]): DpopOptions => ({
    mode: 'allowed',
    nonce: { secrets },
  });
  const NEEDED = {
    status: 401,
    challenge:
      `${BARE}, DPoP error="use_dpop_nonce", ` +
      `error_description="Send a DPoP proof with the nonce of this response", algs="${ALGORITHMS}"`,
    json: {
      error: 'use_dpop_nonce',
      error_description: 'Send a DPoP proof with the nonce of this response',
      reason: 'proof_nonce',
    },
  };

  /** The nonce that a request without one is answered with. */
  async function nonceOf({ client, token, ask }: Setting): Promise<string> {
    const answer = await ask(await client.headers({ token }));
    expect(rejectedAs(answer)).toEqual(NEEDED);
    return String(answer.headers['dpop-nonce']);
  }

  verifies('POP-04', 'are asked for, and accepted until they are too old', async () => {
    const one = await setting(withSecrets(CURRENT));
    const { client, token, ask, clock } = one;
    clock.stop();
    const nonce = await nonceOf(one);
    const use = async (): Promise<HttpAnswer> => {
      const iat = Math.floor(clock.now().getTime() / 1000);
      return ask(await client.headers({ token, claims: { nonce, iat } }));
    };
    expect((await use()).status).toBe(200);
    clock.forward(299);
    expect((await use()).status).toBe(200);
    clock.forward(2);
    const late = await use();
    expect([late.status, late.headers['dpop-nonce'] === nonce]).toEqual([401, false]);
  });

  verifies('POP-04', 'are those of the resource: no other secret, no other text', async () => {
    const one = await setting(withSecrets(CURRENT));
    const { client, token, ask } = one;
    const nonce = await nonceOf(one);
    const other = await nonceOf(await setting(withSecrets(BEFORE)));
    const [time = '', mac = ''] = nonce.split('.');
    const later = (Number.parseInt(time, 36) + 1).toString(36);
    for (const forged of [other, `${later}.${mac}`, `${time}.${mac.slice(1)}`, mac, '', 1, undefined]) {
      const answer = await ask(await client.headers({ token, claims: { nonce: forged } }));
      expect(rejectedAs(answer)).toEqual(NEEDED);
    }
    expect((await ask(await client.headers({ token, claims: { nonce } }))).status).toBe(200);
  });

  verifies('POP-15', 'of the secret before are accepted while it is replaced', async () => {
    const nonce = await nonceOf(await setting(withSecrets(BEFORE)));
    const { client, token, ask } = await setting(withSecrets(CURRENT, BEFORE));
    expect((await ask(await client.headers({ token, claims: { nonce } }))).status).toBe(200);
  });

  verifies('POP-15', 'come with the rejection of every proof', async () => {
    const { client, token, ask } = await setting(withSecrets(CURRENT));
    const answer = await ask(await client.headers({ token, claims: { htm: 'POST' } }));
    expect([rejectedAs(answer), typeof answer.headers['dpop-nonce']]).toEqual([
      rejectedProof('proof_request'),
      'string',
    ]);
  });

  it('have secrets that are long enough, and never printed', async () => {
    const as = await server();
    for (const secrets of [[], ['short'], [CURRENT, CURRENT], [CURRENT, BEFORE, 'c'.repeat(43)]]) {
      const { message } = await startFailure({
        resources: {
          resource: NOTES,
          authorizationServers: [as.issuer],
          dpop: { mode: 'allowed', nonce: { secrets: secrets as unknown as [string] } },
        },
      });
      expect(message).toMatch(/resources\[0\]\.dpop\.nonce\.secrets: (must|member|has)/);
      expect(message).not.toMatch(/short|aaaa/);
    }
  });
});

describe('a request with a proof that several layers check', () => {
  const cors = 'WWW-Authenticate, DPoP-Nonce, Mcp-Session-Id, MCP-Protocol-Version';

  /** An application whose requests pass the middleware or early authentication, and then the guard. */
  async function layered(isEarly: boolean): Promise<{ app: RunningApp; as: LoopbackAuthorizationServer }> {
    const as = await server();
    const resource = { authorizationServers: [as.issuer], dpop: 'required', allowedOrigins: ['*'] } as const;
    const app = await start(
      {
        resources: [
          { ...resource, resource: NOTES, name: 'notes' },
          { ...resource, resource: `${NOTES}/admin`, name: 'admin' },
        ],
        earlyAuthentication: isEarly,
      },
      {
        controllers: [TwoResources],
        prepare: (nest) => {
          const middleware = nest.get(BearerAuthMiddleware);
          if (!isEarly) nest.use('/notes', middleware.use.bind(middleware));
        },
      },
    );
    return { app, as };
  }

  for (const [name, isEarly] of [
    ['the middleware', false],
    ['early authentication', true],
  ] as const) {
    verifies('POP-11', `uses it once: ${name} and the guard, for one resource and for two`, async () => {
      const { app, as } = await layered(isEarly);
      for (const path of ['/notes', '/notes/admin', '/notes/both']) {
        const client = await ProvingClient.make(ORIGIN + path);
        const token = await as.token({ aud: [NOTES, `${NOTES}/admin`], cnf: { jkt: client.jkt } });
        const headers = await client.headers({ token });
        const { status, json } = await app.send(path, { headers });
        expect([path, status, json]).toEqual([path, 200, { binding: 'jkt' }]);
        const again = await app.send(path, { headers: { ...headers, origin: 'https://app.example' } });
        expect([again.status, again.json]).toEqual([
          401,
          { error: 'invalid_dpop_proof', error_description: 'The DPoP proof is missing or invalid' },
        ]);
        expect(again.headers['access-control-expose-headers']).toBe(cors);
      }
    });
  }
});

describe('a request of HTTP/2', () => {
  verifies('POP-73', 'needs one proof, for the configured resource and its path', async () => {
    const as = await server();
    const options = { ...trusting(as.issuer), showErrorDetails: true };
    const app = await start(
      { ...options, resources: { ...(options.resources as object), dpop: 'allowed' } as never },
      {
        controllers: [BindingController],
        adapter: new FastifyAdapter({ http2: true } as never),
        factoryOptions: {},
      },
    );
    const client = await ProvingClient.make(NOTES);
    const token = await as.token({ aud: NOTES, cnf: { jkt: client.jkt } });
    const session = connect(app.origin);
    const ask = (headers: OutgoingHttpHeaders): Promise<unknown> =>
      new Promise((resolve, reject) => {
        const stream = session.request({ ':path': '/notes', authorization: `DPoP ${token}`, ...headers });
        let status: unknown;
        let text = '';
        stream.on('response', (answer) => (status = answer[':status'])).on('error', reject);
        stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        stream.on('end', () => {
          const { binding, reason } = JSON.parse(text) as { binding?: string; reason?: string };
          resolve([status, binding ?? reason]);
        });
        stream.end();
      });
    const proof = (claims = {}): Promise<string> => client.proof({ token, claims });
    const one = await proof();
    expect(await ask({ dpop: one })).toEqual([200, 'jkt']);
    expect(await ask({ dpop: one })).toEqual([401, 'proof_replayed']);
    expect(await ask({ dpop: [await proof(), await proof()] })).toEqual([401, 'proof_malformed']);
    expect(await ask({})).toEqual([401, 'proof_missing']);
    const evil = { ':authority': 'evil.example', dpop: await proof({ htu: 'https://evil.example/notes' }) };
    expect(await ask(evil)).toEqual([401, 'proof_request']);
    expect(await ask({ ':authority': 'evil.example', dpop: await proof() })).toEqual([200, 'jkt']);
    await new Promise<void>((closed) => {
      session.close(closed);
    });
  });
});

describe('a store of used proofs', () => {
  const storing = (reserve: ReplayStore['reserve']): DpopOptions => ({
    mode: 'allowed',
    replayStore: { reserve },
  });

  verifies('POP-16', 'of the application decides, and gets hashes only', async () => {
    const keys: [string, number][] = [];
    const { client, token, ask } = await setting(
      storing((key, ttlMs) => {
        keys.push([key, ttlMs]);
        return Promise.resolve(keys.length === 1);
      }),
    );
    expect((await ask(await client.headers({ token }))).status).toBe(200);
    expect(rejectedAs(await ask(await client.headers({ token })))).toEqual(rejectedProof('proof_replayed'));
    for (const [key, ttlMs] of keys) {
      expect(key).toMatch(/^dpop\.[\w-]{43}$/);
      expect(ttlMs).toBeGreaterThan(290_000);
      expect(ttlMs).toBeLessThanOrEqual(361_000);
    }
  });
});
