import { afterAll, beforeAll, describe, expect } from 'vitest';
import { randomUUID } from 'node:crypto';
import {
  type RunningAuthorizationServer,
  startAuthorizationServer,
} from '../../sample/authorization-server/src/start.js';
import { freePort } from '../../sample/demo/src/free-port.js';
import { send } from '../fixtures/http.js';
import { connectV2, CREDENTIALS } from '../fixtures/official-clients.js';
import { type SampleProcess, startSample, stopSample } from '../fixtures/sample-process.js';
import { verifies } from '../verifies.js';

describe('sample/downstream', () => {
  const running: SampleProcess[] = [];
  const shopServer = { clientId: 'shop-server', clientSecret: randomUUID() };
  /** A client of the authorization server that the back end does not know: one character less. */
  const otherServer = { clientId: 'shop-serve', clientSecret: randomUUID() };
  let server: RunningAuthorizationServer;
  let resource: string;
  let orders: string;

  beforeAll(async () => {
    const [shop, backEnd] = await Promise.all([freePort(), freePort()]).then((ports) =>
      ports.map((port) => `http://127.0.0.1:${String(port)}`),
    );
    resource = `${shop ?? ''}/shop`;
    orders = `${backEnd ?? ''}/orders`;
    server = await startAuthorizationServer({
      port: 0,
      resources: { [resource]: ['shop:use'], [orders]: ['orders:read'] },
      ...CREDENTIALS,
      tokenExchangeClients: [shopServer, otherServer].map((each) => ({
        ...each,
        resource,
        targets: [orders],
      })),
    });
    const settings = {
      MCP_RESOURCE: resource,
      ORDERS_RESOURCE: orders,
      MCP_ISSUER: server.issuer,
      MCP_CLIENT_ID: shopServer.clientId,
      MCP_CLIENT_SECRET: shopServer.clientSecret,
    };
    running.push(
      ...(await Promise.all([
        startSample('downstream', 'Stop with Ctrl-C.', settings),
        startSample('downstream', 'Orders back end', settings, 'orders-server'),
      ])),
    );
  }, 120_000);

  afterAll(async () => {
    await Promise.all(running.map(stopSample));
    await server.close();
  });

  async function exchangeBy(credentials: string, changes: Record<string, string>) {
    const body = new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      resource: orders,
      ...changes,
    });
    const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
    const response = await fetch(`${server.issuer}/token`, {
      method: 'POST',
      headers: { authorization },
      body,
    });
    return (await response.json()) as { error?: string; access_token?: string };
  }

  /** What the back end answers to a token for it that a client of the authorization server got by exchange. */
  async function ordersFor({ clientId, clientSecret }: typeof shopServer, token: string) {
    const { access_token: issued = '' } = await exchangeBy(`${clientId}:${clientSecret}`, {
      subject_token: token,
    });
    const { origin } = new URL(orders);
    const { status, headers, json } = await send(origin, '/orders', {
      headers: { authorization: `Bearer ${issued}` },
    });
    return [status, headers['www-authenticate'], json];
  }

  /** What a client may exchange: tokens that were issued for its own resource, for the resources that it may call. */
  async function expectOnlyItsOwn(token: string): Promise<void> {
    const { clientId, clientSecret } = shopServer;
    const exchange = (changes: Record<string, string>, secret: string = clientSecret) =>
      exchangeBy(`${clientId}:${secret}`, { subject_token: token, ...changes });
    const { error, access_token: issued = '' } = await exchange({});
    expect([error, issued]).toEqual([undefined, expect.stringMatching(/^eyJ/)]);
    expect(await exchange({ resource })).toMatchObject({ error: 'invalid_target' });
    expect(await exchange({ subject_token: issued })).toMatchObject({ error: 'invalid_grant' });
    expect(await exchange({ subject_token: `${token}x` })).toMatchObject({ error: 'invalid_grant' });
    expect(await exchange({ scope: 'shop:use' })).toMatchObject({ error: 'invalid_scope' });
    expect(await exchange({ actor_token: token })).toMatchObject({ error: 'invalid_request' });
    expect(await exchange({}, 'wrong')).toMatchObject({ error: 'invalid_client' });
  }

  verifies(
    ['DWN-16', 'CRL-11'],
    'the back end sees a token for itself, of the person, with the MCP server as actor',
    async () => {
      const client = await connectV2(resource);
      expect(JSON.parse((await client.call('my_orders')) ?? '')).toEqual({
        audience: [orders],
        subject: 'demo',
        actor: 'shop-server',
        scopes: ['orders:read'],
        orders: ['3 lemons'],
      });
      const inbound =
        client.requests
          .map(({ headers }) => headers['authorization'] ?? '')
          .filter((each) => each !== '')
          .at(-1) ?? '';
      expect(inbound).toMatch(/^Bearer eyJ/);
      // What must not be done: the back end does not accept the token of the MCP server.
      const { origin } = new URL(orders);
      const { status, headers, json } = await send(origin, '/orders', {
        headers: { authorization: inbound },
      });
      expect([status, headers['www-authenticate'], json]).toEqual([
        401,
        `Bearer error="invalid_token", scope="orders:read", resource_metadata="${origin}/.well-known/oauth-protected-resource/orders", error_description="The access token is invalid or expired"`,
        { error: 'invalid_token', error_description: 'The access token is invalid or expired' },
      ]);
      const token = inbound.replace('Bearer ', '');
      expect(await ordersFor(shopServer, token)).toMatchObject([200, undefined, { actor: 'shop-server' }]);
      expect(await ordersFor(otherServer, token)).toEqual([
        403,
        undefined,
        { error: 'access_denied', error_description: 'This client is not allowed to use this resource' },
      ]);
      await expectOnlyItsOwn(token);
      await client.close();
    },
  );
});
