import { beforeEach, describe, expect, it } from 'vitest';
import { start } from '../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../fixtures/notes-rejections.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { NOTES } from '../fixtures/resources.js';
import { PaymentHandlers, PaymentTools, StatementsController } from './user-authentication-examples.js';

const { insufficientAuthentication } = notesRejections('');
const SCOPE = 'payments:write';
const ACR_VALUES = 'acr_values="urn:example:passkey urn:example:two-factors"';

describe('the examples of step-up authentication in the documents', () => {
  let as: LoopbackAuthorizationServer;

  beforeEach(async () => {
    as = closeAfterTest(await LoopbackAuthorizationServer.start());
  });

  const authorization = async (acr: string, age: number) => {
    const auth_time = Math.floor(Date.now() / 1000) - age;
    return `Bearer ${await as.token({ aud: NOTES, scope: SCOPE, acr, auth_time })}`;
  };

  it('ask for what a tool, its class and a route need', async () => {
    const { controller, connect } = mcpEndpoint({ statefulMode: false });
    const app = await start(
      { resources: { resource: NOTES, authorizationServers: [as.issuer] } },
      { controllers: [controller, PaymentTools, StatementsController], prepare: connect },
    );
    const call = async (name: string, acr: string, age: number) =>
      app.send('/notes', {
        method: 'POST',
        headers: { ...MCP_HEADERS, authorization: await authorization(acr, age) },
        body: toolCall(name),
      });
    expect((await call('pay_invoice', 'urn:example:passkey', 60)).status).toBe(200);
    expect(rejectedAs(await call('pay_invoice', 'urn:example:password', 60))).toEqual(
      insufficientAuthentication(SCOPE, `${ACR_VALUES}, max_age="300"`),
    );
    expect(rejectedAs(await call('pay_invoice', 'urn:example:passkey', 400))).toEqual(
      insufficientAuthentication(SCOPE, `${ACR_VALUES}, max_age="300"`),
    );
    expect((await call('list_invoices', 'urn:example:password', 400)).status).toBe(200);
    expect(rejectedAs(await call('list_invoices', 'urn:example:passkey', 3700))).toEqual(
      insufficientAuthentication(SCOPE, 'max_age="3600"'),
    );
    const download = async (acr: string) =>
      app.send('/notes/statements', { headers: { authorization: await authorization(acr, 9999) } });
    expect((await download('urn:example:passkey')).status).toBe(200);
    expect(rejectedAs(await download('urn:example:two-factors'))).toEqual(
      insufficientAuthentication(SCOPE, 'acr_values="urn:example:passkey"'),
    );
  });

  it('declare what a handler of the SDK needs', () => {
    expect(new PaymentHandlers().declarations()[0].authentication.maxAgeSeconds).toBe(300);
  });
});
