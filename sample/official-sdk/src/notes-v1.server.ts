import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import type { NotesStore } from './notes.store.js';

/** A server of SDK v1, made for each session. */
export function makeNotesServerV1(store: NotesStore): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('list_notes', { description: 'List your notes' }, ({ authInfo }) =>
    text(store.list(authInfo).join('\n') || 'no notes'),
  );
  server.registerTool(
    'add_note',
    { description: 'Add a note', inputSchema: { text: z.string().min(1).max(1000) } },
    (note, { authInfo }) => text(`${store.add(authInfo, note.text).toString()} notes`),
  );
  return server;
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
