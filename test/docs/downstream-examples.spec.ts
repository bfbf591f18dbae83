import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { describe, expect, it } from 'vitest';
import { start } from '../fixtures/app.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';
import { entra, MailController } from './downstream-examples.js';

describe('the examples of downstream tokens in the documents', () => {
  it('get a token by the preset of Entra', async () => {
    const as = closeAfterTest(await TestAuthorizationServer.start());
    //#region test
    as.serve('/token', (_request, response, form) => {
      const scope = new URLSearchParams(form).get('scope');
      const answer = { access_token: 'downstream', token_type: 'Bearer', expires_in: 300, scope };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    });
    //#endregion test
    const tokenExchange = { ...entra.tokenExchange, clientId: 'notes', clientSecret: () => 'secret' };
    const app = await start(
      { resources: { resource: NOTES, authorizationServers: [{ issuer: as.issuer, tokenExchange }] } },
      { controllers: [MailController] },
    );
    const authorization = `Bearer ${await as.issueToken({ audience: NOTES })}`;
    const { json } = await app.send('/notes/mail', { headers: { authorization } });
    expect(json).toEqual({ granted: ['https://graph.microsoft.com/Mail.Read'], characters: 10 });
  });
});
