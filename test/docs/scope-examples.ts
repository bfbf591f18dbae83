import { Injectable } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import { McpHandlerSource, RequireScopes, type McpAuthModuleOptions } from 'nestjs-mcp-auth';
import { z } from 'zod';

const RESOURCE = process.env['MCP_RESOURCE'] ?? '';
const ISSUER = process.env['MCP_ISSUER'] ?? '';

const Note = z.object({ folder: z.string() });

function text(value: string) {
  return { content: [{ type: 'text' as const, text: value }] };
}

//#region requirements
@McpController()
export class FolderTools {
  @Tool({ name: 'count_notes', description: 'Count the notes of a folder', parameters: Note })
  @RequireScopes({ anyOf: ['folders:count', 'notes:write'] })
  count() {
    return text('1 note');
  }

  @Tool({ name: 'clear_folder', description: 'Delete the notes of a folder', parameters: Note })
  @RequireScopes('notes:write', ({ arguments: { folder } }) => (folder === 'hr' ? ['hr:write'] : []))
  clear() {
    return text('cleared');
  }
}

export const options: McpAuthModuleOptions = {
  resources: { resource: RESOURCE, authorizationServers: [ISSUER], requiredScopes: ['notes:read'] },
  scopeHierarchy: { 'notes:admin': ['notes:write'], 'notes:write': ['notes:read'] },
};
//#endregion requirements

//#region source
@Injectable()
export class SdkHandlers extends McpHandlerSource {
  declarations() {
    return [
      { kind: 'tool', name: 'write', requirements: ['notes:write'] },
      { kind: 'resource', name: 'note://{id}', requirements: ['notes:read'] },
    ] as const;
  }
}
//#endregion source
