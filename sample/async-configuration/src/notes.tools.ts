import { McpController, Tool } from '@rekog/mcp-nest';
import { z } from 'zod';

@McpController()
export class NotesTools {
  @Tool({ name: 'list_notes', description: 'List the notes', parameters: z.object({}) })
  list() {
    return { content: [{ type: 'text' as const, text: 'Settings come from the environment' }] };
  }
}
