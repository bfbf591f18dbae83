import { describe, expect, it } from 'vitest';
import { inMemoryServer, startModule } from '../fixtures/in-memory.js';
import { NOTES } from '../fixtures/resources.js';

describe('the example of stdio in the documents', () => {
  it('runs tools for whom the environment names', async () => {
    Object.assign(process.env, {
      MCP_RESOURCE: NOTES,
      MCP_ISSUER: 'https://nowhere.invalid',
      NOTES_USER: 'ada',
      NOTES_SCOPES: 'notes:read notes:write',
    });
    const { StdioModule } = await import('./local-examples.js');
    const server = inMemoryServer('stdio');
    await startModule(StdioModule, server);
    const client = await server.connect();
    expect(await client.callTool({ name: 'write_note', arguments: {} })).toMatchObject({
      content: [{ type: 'text', text: 'written by ada' }],
    });
  });
});
