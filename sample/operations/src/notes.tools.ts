import { McpController, Tool } from '@rekog/mcp-nest';
import { RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';

@McpController()
export class NotesTools {
  private count = 0;

  @Tool({ name: 'count_notes', description: 'Count the notes', parameters: z.object({}) })
  countNotes() {
    return text(`${this.count.toString()} notes`);
  }

  @Tool({ name: 'add_note', description: 'Add an empty note', parameters: z.object({}) })
  @RequireScopes('notes:write')
  addNote() {
    this.count += 1;
    return this.countNotes();
  }

  @Tool({ name: 'purge_notes', description: 'Delete the notes', parameters: z.object({}) })
  @RequireScopes('notes:write')
  purgeNotes() {
    this.count = 0;
    return this.countNotes();
  }
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
