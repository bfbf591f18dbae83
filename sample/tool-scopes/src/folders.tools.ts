import { Payload } from '@nestjs/microservices';
import { McpController, Tool } from '@rekog/mcp-nest';
import { RequireScopes, type ScopesOfCall } from 'nestjs-mcp-auth';
import { z } from 'zod';
import { FoldersStore } from './folders.store.js';

const Nothing = z.object({});
const Folder = z.object({ folder: z.string() });
const Note = z.object({ folder: z.string(), text: z.string().min(1).max(1000) });

//#region function
/** The notes about people need a scope of their own. It sees the arguments as sent: no schema has checked them. */
const ofFolder: ScopesOfCall = ({ arguments: { folder } }) =>
  typeof folder === 'string' && folder.toLowerCase() === 'hr' ? ['hr:write'] : [];
//#endregion function

@McpController()
export class FoldersTools {
  constructor(private readonly store: FoldersStore) {}

  /** Needs what every request needs: the `requiredScopes` of the resource. */
  @Tool({ name: 'list_folders', description: 'List the folders', parameters: Nothing })
  list() {
    return text(this.store.folders().join(' ') || 'no folders');
  }

  //#region tools
  @Tool({ name: 'count_notes', description: 'Count the notes of a folder', parameters: Folder })
  @RequireScopes({ anyOf: ['folders:count', 'notes:write'] })
  count(@Payload() { folder }: z.infer<typeof Folder>) {
    return text(`${this.store.notes(folder).length.toString()} notes`);
  }

  @Tool({ name: 'add_note', description: 'Add a note to a folder', parameters: Note })
  @RequireScopes('notes:write', ofFolder)
  add(@Payload() note: z.infer<typeof Note>) {
    return text(`${this.store.add(note.folder, note.text).toString()} notes`);
  }
  //#endregion tools
}

/** What is written at the class is needed for each of its tools, beside what is written at the tool. */
@McpController()
@RequireScopes('notes:admin')
export class FoldersAdminTools {
  constructor(private readonly store: FoldersStore) {}

  @Tool({ name: 'clear_folder', description: 'Delete the notes of a folder', parameters: Folder })
  @RequireScopes(ofFolder)
  clear(@Payload() { folder }: z.infer<typeof Folder>) {
    return text(`${this.store.clear(folder).toString()} notes deleted`);
  }
}

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}
