import { describe, expect, it } from 'vitest';
import { PLATFORMS, startApp } from '../fixtures/app.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';
import { server } from '../fixtures/servers.js';
import { AuditService, CatalogueController } from './caller-examples.js';

describe.each(PLATFORMS)('the examples of who is calling, on %s', (platform) => {
  it('know callers with a token, and let those without one in where they say so', async () => {
    const as = await server();
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const parts = { controllers: [CatalogueController], providers: [AuditService] };
    const app = closeAfterTest(await startApp({ resources }, { ...parts, platform }));
    const get = async (path: string, token?: string) => {
      const headers = token === undefined ? undefined : { authorization: `Bearer ${token}` };
      const { status, json } = await app.send(path, headers && { headers });
      return status === 200 ? json : status;
    };
    const good = await as.token({ aud: NOTES });
    expect(await get('/catalogue')).toEqual(['public']);
    expect(await get('/catalogue', good)).toEqual(['public', 'drafts of u1']);
    expect(await get('/catalogue', 'abc')).toBe(401);
    expect(await get('/catalogue/drafts')).toBe(401);
    expect(await get('/catalogue/drafts', good)).toEqual(['drafts of u1']);
    expect(app.app.get(AuditService).lines).toEqual(['nobody listed', 'u1 listed', 'u1 read drafts']);
  });
});
