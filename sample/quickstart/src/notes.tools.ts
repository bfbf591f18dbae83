import { Payload } from '@nestjs/microservices';
import { McpController, Tool } from '@rekog/mcp-nest';
import { AuthInfo, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { NotesStore } from './notes.store.js';

const AddNote = z.object({ text: z.string().min(1).max(1000) });

@McpController()
export class NotesTools {
  constructor(private readonly store: NotesStore) {}

  @Tool({ name: 'list_notes', description: 'List your notes', parameters: z.object({}) })
  @RequireScopes('notes:read')
  list(@AuthInfo() auth: AuthInfo) {
    return text(this.store.list(owner(auth)).join('\n') || 'no notes');
  }

  //#region tool
  @Tool({ name: 'add_note', description: 'Add a note', parameters: AddNote })
  @RequireScopes('notes:write')
  add(@Payload() note: z.infer<typeof AddNote>, @AuthInfo() auth: AuthInfo) {
    return text(`${this.store.add(owner(auth), note.text).toString()} notes`);
  }
  //#endregion tool

  @Tool({ name: 'purge_notes', description: 'Delete all your notes', parameters: z.object({}) })
  @RequireScopes('notes:admin')
  purge(@AuthInfo() auth: AuthInfo) {
    return text(`${this.store.purge(owner(auth)).toString()} notes deleted`);
  }

  @Tool({ name: 'whoami', description: 'Tell who you are', parameters: z.object({}) })
  whoami(@AuthInfo('subject') subject: string | undefined, @AuthInfo('scopes') scopes: string[]) {
    return text(`${subject ?? 'a client'} with ${scopes.join(' ')}`);
  }
}

//#region owner
function owner({ issuer, subject, clientId }: AuthInfo): string {
  return JSON.stringify(subject === undefined ? [issuer, null, clientId] : [issuer, subject]);
}
//#endregion owner

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
