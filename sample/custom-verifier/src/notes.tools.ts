import { McpController, Tool } from '@rekog/mcp-nest';
import { AuthInfo, ProtectedResource, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';

@McpController()
@ProtectedResource('notes')
export class NotesTools {
  @Tool({ name: 'count_notes', description: 'Count your notes', parameters: z.object({}) })
  count(@AuthInfo('subject') subject: string) {
    return text(`${subject} has no notes`);
  }

  @Tool({ name: 'purge_notes', description: 'Delete all your notes', parameters: z.object({}) })
  @RequireScopes('notes:admin')
  purge() {
    return text('deleted');
  }
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
