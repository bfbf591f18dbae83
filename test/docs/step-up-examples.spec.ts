import { describe, expect, it } from 'vitest';
import { start } from '../fixtures/app.js';
import { closeAfterTest } from '../fixtures/opened.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { MCP_HEADERS, mcpEndpoint, toolCall } from '../fixtures/mcp-endpoint.js';
import { notesRejections, rejectedAs } from '../fixtures/notes-rejections.js';
import { NOTES } from '../fixtures/resources.js';
import { SharingTools } from './step-up-examples.js';

describe('the example of a step-up inside a handler in the documents', () => {
  it('asks for a scope where the note is of somebody else', async () => {
    const as = closeAfterTest(await LoopbackAuthorizationServer.start());
    const { controller, connect } = mcpEndpoint();
    const resources = { resource: NOTES, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
    const app = await start({ resources }, { controllers: [controller, SharingTools], prepare: connect });
    const share = async (id: string, scope: string) =>
      app.send('/notes', {
        method: 'POST',
        headers: { ...MCP_HEADERS, authorization: `Bearer ${await as.token({ aud: NOTES, scope })}` },
        body: toolCall('share_note', 1, { id }),
      });
    expect((await share('1', 'notes:read')).status).toBe(200);
    expect(rejectedAs(await share('2', 'notes:read'))).toEqual(
      notesRejections('notes:read').insufficientScope('notes:read notes:share-any'),
    );
    expect((await share('2', 'notes:read notes:share-any')).status).toBe(200);
  });
});
