import { Payload } from '@nestjs/microservices';
import { McpController, Tool } from '@rekog/mcp-nest';
import { AuthInfo, ProtectedResource, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { NotesStore } from './notes.store.js';

const Note = z.object({ text: z.string().min(1).max(1000) });

@McpController()
@ProtectedResource('notes')
export class NotesTools {
  constructor(private readonly store: NotesStore) {}

  @Tool({ name: 'list_notes', description: 'List your notes', parameters: z.object({}) })
  list(@AuthInfo() auth: AuthInfo) {
    return text(this.store.list(ownerOf(auth)).join('\n') || 'no notes');
  }

  @Tool({ name: 'add_note', description: 'Add a note', parameters: Note })
  @RequireScopes('notes:write')
  add(@Payload() note: z.infer<typeof Note>, @AuthInfo() auth: AuthInfo) {
    return text(`${this.store.add(ownerOf(auth), note.text).toString()} notes`);
  }
}

/** The same subject at two issuers is two people. */
function ownerOf({ issuer, subject, clientId }: AuthInfo): string {
  return JSON.stringify(subject === undefined ? [issuer, null, clientId] : [issuer, subject]);
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
