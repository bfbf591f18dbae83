import { McpController, Tool } from '@rekog/mcp-nest';
import { AuthInfo, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { KEYS_ISSUER } from './app.constants.js';

@McpController()
export class NotesTools {
  @Tool({ name: 'count_notes', description: 'Count your notes', parameters: z.object({}) })
  count(@AuthInfo() { subject, issuer }: AuthInfo) {
    const way = issuer === KEYS_ISSUER ? 'by an API key' : 'by a token';
    return text(`${subject ?? 'unknown'} has no notes (${way})`);
  }

  @Tool({ name: 'write_note', description: 'Write a note', parameters: z.object({}) })
  @RequireScopes('notes:write')
  write() {
    return text('written');
  }
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
