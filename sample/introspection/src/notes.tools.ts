import { McpController, Tool } from '@rekog/mcp-nest';
import { AuthInfo, RequireScopes } from 'nestjs-mcp-auth';
import { z } from 'zod';

/** The caller looks the same as with JWTs: what the authorization server says of a token stands in its place. */
@McpController()
export class NotesTools {
  @Tool({ name: 'token_status', description: 'Tell what your token is good for', parameters: z.object({}) })
  status(@AuthInfo() { subject, scopes, expiresAt }: AuthInfo) {
    const until = expiresAt === undefined ? 'further notice' : new Date(expiresAt * 1000).toISOString();
    return text(`${subject ?? 'a client'} with ${scopes.join(' ')} until ${until}`);
  }

  @Tool({ name: 'purge_notes', description: 'Delete all notes', parameters: z.object({}) })
  @RequireScopes('notes:admin')
  purge() {
    return text('deleted');
  }
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
