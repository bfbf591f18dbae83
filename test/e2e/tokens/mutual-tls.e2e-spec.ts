import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:tls';
import { Controller, Get, UseGuards } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import {
  AuthInfo,
  BearerAuthGuard,
  McpAuthEvents,
  type MutualTlsOptions,
  type ProtectedResourceOptions,
} from 'nestjs-mcp-auth';
import { defaultPlatform, type RunningApp, start } from '../../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../../fixtures/authorization-server.js';
import {
  ADA,
  BOB,
  boundTo,
  type ClientCertificate,
  getByTls,
  inHeader,
} from '../../fixtures/client-certificates.js';
import { ProvingClient } from '../../fixtures/dpop.js';
import { listing, problems } from '../../fixtures/config-problems.js';
import { rejectedAs } from '../../fixtures/notes-rejections.js';
import { NOTES, NOTES_METADATA, offlineResource, PRM } from '../../fixtures/resources.js';
import { SELF_SIGNED } from '../../fixtures/self-signed.js';
import { verifies } from '../../verifies.js';

const INVALID = { error: 'invalid_token', error_description: 'The access token is invalid or expired' };

const rejected = (reason: string) => ({
  status: 401,
  challenge:
    `Bearer error="invalid_token", resource_metadata="${NOTES_METADATA}", ` +
    'error_description="The access token is invalid or expired"',
  json: { ...INVALID, reason },
});
const served = (binding?: string) => ({
  status: 200,
  challenge: undefined,
  json: binding === undefined ? {} : { binding },
});

@Controller('notes')
@UseGuards(BearerAuthGuard)
class BindingController {
  @Get()
  binding(@AuthInfo('binding') binding: AuthInfo['binding']): object {
    return { binding };
  }
}

let as: LoopbackAuthorizationServer;

beforeAll(async () => {
  as = await LoopbackAuthorizationServer.start();
});

afterAll(() => as.close());

const token = (cnf?: unknown) => as.token({ aud: NOTES, ...(cnf !== undefined && { cnf }) });

const optionsWith = (more: Partial<ProtectedResourceOptions>) => ({
  resources: { resource: NOTES, authorizationServers: [as.issuer], ...more },
  showErrorDetails: true,
});

/** An application that ends TLS itself, and asks clients for certificates of any issuer. */
async function startTls(
  mutualTls: ProtectedResourceOptions['mutualTls'],
  more: object = {},
): Promise<RunningApp> {
  const https = { ...SELF_SIGNED, requestCert: true, rejectUnauthorized: false, ...more };
  return start(optionsWith(mutualTls === undefined ? {} : { mutualTls }), {
    controllers: [BindingController],
    factoryOptions: { httpsOptions: https },
    ...(defaultPlatform === 'fastify' && { adapter: new FastifyAdapter({ https }) }),
  });
}

const overTls = async (
  { origin }: RunningApp,
  cnf: unknown,
  certificate?: ClientCertificate,
  headers: Record<string, string> = {},
) => {
  const authorization = `Bearer ${await token(cnf)}`;
  const url = `${origin.replace('http:', 'https:')}/notes`;
  return rejectedAs((await getByTls(url, { authorization, ...headers }, certificate)) as never);
};

describe('a token that is bound to the certificate of the TLS connection', () => {
  verifies('POP-30', 'is accepted from a client with this certificate, and from no other', async () => {
    const app = await startTls(true);
    expect(await overTls(app, boundTo(ADA), ADA)).toEqual(served('x5t#S256'));
    expect(await overTls(app, boundTo(BOB), BOB)).toEqual(served('x5t#S256'));
    expect(await overTls(app, boundTo(ADA), BOB)).toEqual(rejected('certificate_mismatch'));
    expect(await overTls(app, boundTo(ADA))).toEqual(rejected('certificate_missing'));
    expect(await overTls(app, undefined, ADA)).toEqual(served());
    expect(await overTls(app, undefined)).toEqual(served());
  });

  verifies('POP-30', 'is accepted if the TLS server checks the chain, too', async () => {
    const app = await startTls(true, { rejectUnauthorized: true, ca: [ADA.cert] });
    expect(await overTls(app, boundTo(ADA), ADA)).toEqual(served('x5t#S256'));
    await expect(overTls(app, boundTo(BOB), BOB)).rejects.toThrow();
  });

  verifies(
    ['POP-31', 'POP-02'],
    'is rejected for any confirmation that is not exactly this certificate',
    async () => {
      const app = await startTls(true);
      const { 'x5t#S256': hash } = boundTo(ADA);
      for (const cnf of [
        { 'x5t#S256': `${hash}=` },
        { 'x5t#S256': hash.slice(0, -1) },
        { 'x5t#S256': Buffer.from(hash, 'base64url').toString('hex') },
        { 'x5t#S256': [hash] },
        { 'x5t#S256': null },
        { 'x5t#S256': '' },
        { x5t: hash },
        { 'X5T#S256': hash },
        { 'x5t#S256': hash, jkt: hash },
        { jkt: hash },
        {},
        hash,
      ])
        expect([cnf, await overTls(app, cnf, ADA)]).toEqual([cnf, rejected('sender_constrained')]);
      expect(await overTls(app, { 'x5t#S256': hash, other: 1 }, ADA)).toEqual(served('x5t#S256'));
      const other = `${hash.startsWith('A') ? 'B' : 'A'}${hash.slice(1)}`;
      expect(await overTls(app, { 'x5t#S256': other }, ADA)).toEqual(rejected('certificate_mismatch'));
    },
  );

  verifies(['POP-32', 'POP-07'], 'is rejected without the option, whatever the client sends', async () => {
    for (const mutualTls of [undefined, false]) {
      const app = await startTls(mutualTls);
      const headers = { 'client-cert': inHeader.rfc9440(ADA) };
      expect(await overTls(app, boundTo(ADA), ADA, headers)).toEqual(rejected('sender_constrained'));
      expect(await overTls(app, undefined, ADA)).toEqual(served());
    }
  });

  verifies('POP-33', 'is the only one that is accepted if the option requires it', async () => {
    const app = await startTls({ required: true });
    expect(await overTls(app, boundTo(ADA), ADA)).toEqual(served('x5t#S256'));
    expect(await overTls(app, undefined, ADA)).toEqual(rejected('not_bound'));
    expect(await overTls(app, undefined)).toEqual(rejected('not_bound'));
    expect(await overTls(app, boundTo(ADA), BOB)).toEqual(rejected('certificate_mismatch'));
  });

  verifies('POP-72', 'is named in events by its binding, if it was accepted', async () => {
    const app = await startTls(true);
    const bindings: [string, unknown, unknown][] = [];
    const events = app.app.get(McpAuthEvents);
    for (const type of ['access_granted', 'access_denied', 'request_completed'] as const)
      events.on(type, ({ binding, credential }) => bindings.push([type, credential, binding]));
    const completed = () => bindings.filter(([type]) => type === 'request_completed').length;
    for (const [cnf, certificate] of [
      [boundTo(ADA), ADA],
      [undefined, ADA],
      [boundTo(ADA), BOB],
    ] as const) {
      const before = completed();
      await overTls(app, cnf, certificate);
      await expect.poll(completed).toBe(before + 1);
    }
    expect(bindings).toEqual([
      ['access_granted', 'bearer', 'x5t#S256'],
      ['request_completed', 'bearer', 'x5t#S256'],
      ['access_granted', 'bearer', undefined],
      ['request_completed', 'bearer', undefined],
      ['access_denied', 'bearer', undefined],
      ['request_completed', 'bearer', undefined],
    ]);
  });

  verifies('POP-30', 'is accepted over HTTP/2, from a client with this certificate', async () => {
    const https = { ...SELF_SIGNED, requestCert: true, rejectUnauthorized: false };
    const adapter = new FastifyAdapter({ http2: true, https } as never);
    const parts = { controllers: [BindingController], factoryOptions: {}, adapter };
    const app = await start(optionsWith({ mutualTls: true }), parts);
    const authorization = `Bearer ${await token(boundTo(ADA))}`;
    const ask = (certificate?: ClientCertificate) =>
      new Promise((resolve, reject) => {
        const origin = app.origin.replace('http:', 'https:');
        const session = connectHttp2(origin, { rejectUnauthorized: false, ...certificate });
        const stream = session.request({ ':path': '/notes', authorization });
        let status: unknown;
        stream.on('response', (headers) => (status = headers[':status'])).on('error', reject);
        stream.on('end', () => {
          session.close();
          resolve(status);
        });
        stream.resume().end();
      });
    expect([await ask(ADA), await ask(BOB), await ask()]).toEqual([200, 401, 401]);
  });

  verifies('POP-30', 'is accepted in a TLS session that is resumed', async () => {
    const app = await startTls(true);
    const port = Number(new URL(app.origin).port);
    const authorization = `Bearer ${await token(boundTo(ADA))}`;
    const exchange = (session?: Buffer) =>
      new Promise<{ status: string; isReused: boolean; session: Buffer | undefined }>((resolve, reject) => {
        const socket = connect({
          port,
          host: '127.0.0.1',
          rejectUnauthorized: false,
          ...ADA,
          ...(session && { session }),
        });
        let next: Buffer | undefined;
        let text = '';
        socket.on('session', (ticket) => (next = ticket));
        socket.on('error', reject);
        socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
        socket.on('end', () => {
          resolve({ status: text.split(' ')[1] ?? '', isReused: socket.isSessionReused(), session: next });
        });
        socket.write(
          `GET /notes HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: ${authorization}\r\n\r\n`,
        );
      });
    const first = await exchange();
    const second = await exchange(first.session);
    expect([first.status, first.isReused, second.status, second.isReused]).toEqual([
      '200',
      false,
      '200',
      true,
    ]);
  });

  verifies('POP-30', 'needs its certificate with each request, also if the token is remembered', async () => {
    const app = await startTls(true);
    const authorization = `Bearer ${await token(boundTo(ADA))}`;
    const url = `${app.origin.replace('http:', 'https:')}/notes`;
    const statuses: number[] = [];
    for (const certificate of [ADA, ADA, ADA, BOB, undefined, ADA])
      statuses.push((await getByTls(url, { authorization }, certificate)).status);
    expect(statuses).toEqual([200, 200, 200, 401, 401, 200]);
  });
});

describe('a token that is bound to a certificate which a proxy passes on', () => {
  const header = (
    name: string,
    format: 'url-encoded-pem' | 'xfcc' | 'rfc9440',
    ...trustedProxies: string[]
  ): MutualTlsOptions => ({ certificateHeader: { name, format, trustedProxies } });

  const startBehind = (mutualTls: MutualTlsOptions) =>
    start(optionsWith({ mutualTls }), { controllers: [BindingController] });

  const ask = async (app: RunningApp, cnf: unknown, headers: Record<string, string | string[]> = {}) =>
    rejectedAs(
      await app.send('/notes', { headers: { authorization: `Bearer ${await token(cnf)}`, ...headers } }),
    );

  const FORMS: [string, string, 'url-encoded-pem' | 'xfcc' | 'rfc9440', (of: ClientCertificate) => string][] =
    [
      ['nginx', 'X-SSL-Client-Cert', 'url-encoded-pem', inHeader.nginx],
      ['AWS', 'X-Amzn-Mtls-Clientcert-Leaf', 'url-encoded-pem', inHeader.aws],
      ['Envoy', 'x-forwarded-client-cert', 'xfcc', inHeader.envoy],
      ['Envoy by its hash', 'x-forwarded-client-cert', 'xfcc', inHeader.envoyHash],
      ['RFC 9440', 'Client-Cert', 'rfc9440', inHeader.rfc9440],
    ];

  for (const [proxy, name, format, written] of FORMS)
    verifies('POP-34', `is accepted with the header of ${proxy}`, async () => {
      const app = await startBehind(header(name, format, '10.0.0.0/8', '127.0.0.1'));
      const key = name.toLowerCase();
      expect(await ask(app, boundTo(ADA), { [key]: written(ADA) })).toEqual(served('x5t#S256'));
      expect(await ask(app, boundTo(ADA), { [key]: written(BOB) })).toEqual(rejected('certificate_mismatch'));
      expect(await ask(app, boundTo(ADA))).toEqual(rejected('certificate_missing'));
      expect(await ask(app, boundTo(ADA), { [key]: '' })).toEqual(rejected('certificate_missing'));
      for (const lines of [
        [written(ADA), written(ADA)],
        [written(ADA), written(BOB)],
        [written(ADA), ''],
        [`${written(ADA)}, ${written(ADA)}`],
        [written(ADA).slice(5)],
        ['x'],
        ['%'],
      ])
        expect([lines, await ask(app, boundTo(ADA), { [key]: lines })]).toEqual([
          lines,
          rejected('certificate_malformed'),
        ]);
      expect(await ask(app, undefined, { [key]: 'x' })).toEqual(served());
    });

  verifies(
    ['POP-35', 'POP-07'],
    'is rejected if the peer is no proxy, whatever it says of itself',
    async () => {
      const app = await startBehind(header('client-cert', 'rfc9440', '10.0.0.0/8', '127.0.0.2', '::1'));
      expect(
        await ask(app, boundTo(ADA), {
          'client-cert': inHeader.rfc9440(ADA),
          'x-forwarded-for': '10.0.0.1',
          'x-real-ip': '10.0.0.1',
          forwarded: 'for=10.0.0.1',
        }),
      ).toEqual(rejected('certificate_missing'));
    },
  );

  verifies(
    'POP-35',
    'counts by its header behind a proxy that has a certificate, and else by TLS',
    async () => {
      const certificateHeader = {
        name: 'client-cert',
        format: 'rfc9440',
        trustedProxies: ['127.0.0.1'],
      } as const;
      const behind = await startTls({ certificateHeader });
      // BOB is the proxy.
      const passed = { 'client-cert': inHeader.rfc9440(ADA) };
      expect(await overTls(behind, boundTo(ADA), BOB, passed)).toEqual(served('x5t#S256'));
      expect(await overTls(behind, boundTo(BOB), BOB, passed)).toEqual(rejected('certificate_mismatch'));
      expect(await overTls(behind, boundTo(BOB), BOB)).toEqual(rejected('certificate_missing'));
      const direct = await startTls({
        certificateHeader: { ...certificateHeader, trustedProxies: ['10.0.0.1'] },
      });
      expect(await overTls(direct, boundTo(BOB), BOB, passed)).toEqual(served('x5t#S256'));
      expect(await overTls(direct, boundTo(ADA), BOB, passed)).toEqual(rejected('certificate_mismatch'));
    },
  );
});

describe('a token that is bound to a certificate and to a key of DPoP', () => {
  verifies('POP-38', 'needs both proofs, whichever scheme it is sent with', async () => {
    const app = await start(
      optionsWith({
        dpop: 'allowed',
        mutualTls: {
          certificateHeader: { name: 'client-cert', format: 'rfc9440', trustedProxies: ['127.0.0.1'] },
        },
      }),
      { controllers: [BindingController] },
    );
    const client = await ProvingClient.make(NOTES);
    const both = await token({ ...boundTo(ADA), jkt: client.jkt });
    const onlyCertificate = await token(boundTo(ADA));
    const ask = async (headers: Record<string, string>, certificate?: ClientCertificate) => {
      const passed = certificate && { 'client-cert': inHeader.rfc9440(certificate) };
      const { status, json } = await app.send('/notes', { headers: { ...headers, ...passed } });
      return [status, (json as { binding?: string }).binding ?? (json as { reason?: string }).reason];
    };
    expect(await ask(await client.headers({ token: both }), ADA)).toEqual([200, 'jkt']);
    expect(await ask(await client.headers({ token: both }), BOB)).toEqual([401, 'certificate_mismatch']);
    expect(await ask(await client.headers({ token: both }))).toEqual([401, 'certificate_missing']);
    expect(await ask({ authorization: `Bearer ${both}` }, ADA)).toEqual([401, 'sender_constrained']);
    expect(await ask({ authorization: `DPoP ${both}` }, ADA)).toEqual([401, 'proof_missing']);
    expect(await ask({ authorization: `Bearer ${onlyCertificate}` }, ADA)).toEqual([200, 'x5t#S256']);
    expect(await ask(await client.headers({ token: onlyCertificate }), ADA)).toEqual([401, 'not_bound']);
  });
});

describe('the option mutualTls', () => {
  verifies('POP-36', 'is published in the metadata', async () => {
    const documentWith = async (mutualTls: ProtectedResourceOptions['mutualTls']) => {
      const options = mutualTls === undefined ? {} : { mutualTls };
      const app = await start({ resources: offlineResource(NOTES, options) });
      return (await app.send(`${PRM}/notes`)).json;
    };
    const member = { tls_client_certificate_bound_access_tokens: true };
    for (const mutualTls of [true, {}, { required: true }])
      expect(await documentWith(mutualTls)).toMatchObject(member);
    for (const mutualTls of [undefined, false])
      expect(await documentWith(mutualTls)).not.toHaveProperty('tls_client_certificate_bound_access_tokens');
  });

  verifies(['POP-37', 'POP-74'], 'fails the start if it is wrong', async () => {
    const wrong = (mutualTls: unknown) =>
      problems({ resources: offlineResource(NOTES, { mutualTls } as never) });
    const proxies = (...trustedProxies: unknown[]) =>
      wrong({ certificateHeader: { name: 'a', format: 'xfcc', trustedProxies } });
    const where = 'resources[0].mutualTls';
    const range = `${where}.certificateHeader.trustedProxies`;
    expect(await wrong('yes')).toBe(listing(`${where}: must be true, false or an object; got "yes"`));
    expect(await wrong({ require: true })).toContain(`${where}.require: is not an option`);
    expect(await wrong({ required: 'yes' })).toBe(
      listing(`${where}.required: must be true or false; got "yes"`),
    );
    expect(await wrong({ certificateHeader: { name: 'a b', format: 'pem', trustedProxies: [] } })).toBe(
      listing(
        `${where}.certificateHeader.name: must be the name of a header; got "a b"`,
        `${where}.certificateHeader.format: must be one of url-encoded-pem, xfcc, rfc9440; got "pem"`,
        `${range}: must not be empty; got a list of 0`,
      ),
    );
    for (const address of ['*', 'localhost', '10.0.0', '10.0.0.1/8/9', 'fe80::1%eth0', '', 7])
      expect(await proxies('10.0.0.1', address)).toBe(
        listing(`${range}: member 1 must be an IP address, or a range such as 10.0.0.0/8; got a list of 2`),
      );
    for (const everyone of ['0.0.0.0/0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/a', '10.0.0.0/08'])
      expect(await proxies(everyone)).toBe(
        listing(`${range}: member 0 must have a prefix of 1 to 32 bits; got a list of 1`),
      );
    expect(await proxies('::/0')).toBe(
      listing(`${range}: member 0 must have a prefix of 1 to 128 bits; got a list of 1`),
    );
    for (const everyone of ['::/1', '::/80', '0::ffff:0:0/96', '0:0:0:0:0:FFFF:1.2.3.4/96'])
      expect([everyone, await proxies(everyone)]).toEqual([
        everyone,
        listing(`${range}: member 0 must not include every IPv4 address; got a list of 1`),
      ]);
    expect(await proxies('::ffff:10.0.0.1')).toBe(
      listing(`${range}: member 0 must be written as an IPv4 address, without "::ffff:"; got a list of 1`),
    );
  });
});
