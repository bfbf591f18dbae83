import { Controller, Get, UseGuards } from '@nestjs/common';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AuthInfo, BearerAuthGuard, type ProtectedResourceOptions } from 'nestjs-mcp-auth';
import { expect, it } from 'vitest';
import { defaultPlatform, start } from '../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { ADA, BOB, boundTo, getByTls, inHeader } from '../fixtures/client-certificates.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';
import { SELF_SIGNED } from '../fixtures/self-signed.js';
import { behindProxy, direct, httpsOptions } from './mutual-tls-examples.js';

@Controller('notes')
@UseGuards(BearerAuthGuard)
class BindingController {
  @Get()
  binding(@AuthInfo('binding') binding: AuthInfo['binding']): object {
    return { binding };
  }
}

it('the examples of mutual TLS accept the certificate of the client, and of a proxy at a listed address', async () => {
  const as = closeAfterTest(await LoopbackAuthorizationServer.start());
  const authorization = `Bearer ${await as.token({ aud: NOTES, cnf: boundTo(ADA) })}`;
  const by = (options: ProtectedResourceOptions) => ({
    resources: { ...options, authorizationServers: [as.issuer] },
  });
  const https = { ...SELF_SIGNED, ...httpsOptions };
  const tls = await start(by(direct), {
    controllers: [BindingController],
    factoryOptions: { httpsOptions: https },
    ...(defaultPlatform === 'fastify' && { adapter: new FastifyAdapter({ https }) }),
  });
  const url = `${tls.origin.replace('http:', 'https:')}/notes`;
  expect((await getByTls(url, { authorization }, ADA)).status).toBe(200);
  expect((await getByTls(url, { authorization }, BOB)).status).toBe(401);
  // This test is at none of the addresses.
  const proxied = await start(by(behindProxy), { controllers: [BindingController] });
  const headers = { authorization, 'x-client-cert': inHeader.nginx(ADA) };
  expect((await proxied.send('/notes', { headers })).status).toBe(401);
});
