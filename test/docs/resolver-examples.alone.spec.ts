import { NestFactory } from '@nestjs/core';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { closeAfterTest } from '../fixtures/opened.js';

const RESOURCE = 'http://127.0.0.1/notes';

describe('the example of a resolver in the documents', () => {
  let main: LoopbackAuthorizationServer;

  beforeEach(async () => {
    main = closeAfterTest(await LoopbackAuthorizationServer.start());
    vi.stubEnv('MCP_ISSUER', main.issuer);
    vi.stubEnv('MCP_RESOURCE', RESOURCE);
  });

  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('accepts tokens of the issuers of customers, and of no others', async () => {
    const { CustomersModule, CustomerStore } = await import('./resolver-examples.js');
    const { ResourceTokenVerifier } = await import('nestjs-mcp-auth');
    const app = closeAfterTest(await NestFactory.create(CustomersModule, { logger: false }));
    await app.init();
    const [customer, stranger] = await Promise.all([
      LoopbackAuthorizationServer.start(),
      LoopbackAuthorizationServer.start(),
    ]);
    closeAfterTest(customer);
    closeAfterTest(stranger);
    app.get(CustomerStore).add(customer.issuer);
    const verifier = app.get(ResourceTokenVerifier, { strict: false });
    const issuerOf = async (as: LoopbackAuthorizationServer): Promise<string | undefined> =>
      (await verifier.verifyAccessToken(await as.token({ aud: RESOURCE }))).issuer;
    expect(await issuerOf(main)).toBe(main.issuer);
    expect(await issuerOf(customer)).toBe(customer.issuer);
    await expect(issuerOf(stranger)).rejects.toThrow();
    expect(stranger.requests).toEqual([]);
  });
});
