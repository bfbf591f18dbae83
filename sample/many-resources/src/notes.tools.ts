import { Payload } from '@nestjs/microservices';
import { McpController, Tool } from '@rekog/mcp-nest';
import { AuthInfo, principalKey, ProtectedResource, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { NotesStore } from './notes.store.js';

const Note = z.object({ text: z.string().min(1).max(1000) });

/** The same subject at two issuers is two people: `principalKey()` tells them apart. */
@McpController()
@ProtectedResource('notes')
export class NotesTools {
  constructor(private readonly store: NotesStore) {}

  @Tool({ name: 'list_notes', description: 'List your notes', parameters: z.object({}) })
  list(@AuthInfo() auth: AuthInfo) {
    return text(this.store.list(principalKey(auth)).join('\n') || 'no notes');
  }

  @Tool({ name: 'add_note', description: 'Add a note', parameters: Note })
  @RequireScopes('notes:write')
  add(@Payload() note: z.infer<typeof Note>, @AuthInfo() auth: AuthInfo) {
    return text(`${this.store.add(principalKey(auth), note.text).toString()} notes`);
  }
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
