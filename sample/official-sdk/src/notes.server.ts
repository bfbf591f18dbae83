import { McpServer } from '@modelcontextprotocol/server';
import { z } from 'zod';
import type { NotesStore } from './notes.store.js';

/** A server of SDK v2, made for each request. */
export function makeNotesServer(store: NotesStore): McpServer {
  const server = new McpServer({ name: 'notes', version: '1.0.0' });
  server.registerTool('list_notes', { description: 'List your notes' }, ({ http }) =>
    text(store.list(http?.authInfo).join('\n') || 'no notes'),
  );
  server.registerTool(
    'add_note',
    { description: 'Add a note', inputSchema: z.object({ text: z.string().min(1).max(1000) }) },
    (note, { http }) => text(`${store.add(http?.authInfo, note.text).toString()} notes`),
  );
  return server;
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
