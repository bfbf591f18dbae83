import { McpController, Tool } from '@rekog/mcp-nest';
import { AuthContext } from 'nestjs-mcp-auth';
import { Payload } from '@nestjs/microservices';
import { z } from 'zod';

const OWNERS: ReadonlyMap<string, string> = new Map([
  ['1', 'u1'],
  ['2', 'u2'],
]);

const Note = z.object({ id: z.string() });

//#region late
@McpController()
export class SharingTools {
  constructor(private readonly context: AuthContext) {}

  @Tool({ name: 'share_note', description: 'Share a note', parameters: Note })
  share(@Payload() { id }: { id: string }) {
    if (OWNERS.get(id) !== this.context.current()?.subject) this.context.requireScopes('notes:share-any');
    return { content: [{ type: 'text' as const, text: `Shared note ${id}` }] };
  }
}
//#endregion late
