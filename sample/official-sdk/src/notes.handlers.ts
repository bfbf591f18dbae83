import { Injectable } from '@nestjs/common';
import { type McpDeclaration, McpHandlerSource } from 'nestjs-mcp-auth';

//#region source
/** The tools of both servers and their scopes: neither SDK knows decorators. */
@Injectable()
export class NotesHandlers extends McpHandlerSource {
  declarations(): readonly McpDeclaration[] {
    return ['notes', 'notes-v1'].flatMap((resource) => [
      { kind: 'tool', name: 'list_notes', requirements: [], resource } as const,
      { kind: 'tool', name: 'add_note', requirements: ['notes:write'], resource } as const,
    ]);
  }
}
//#endregion source
