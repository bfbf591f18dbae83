import { Module } from '@nestjs/common';
import { McpController, Tool } from '@rekog/mcp-nest';
import {
  AllowAnonymous,
  LIFECYCLE_METHODS,
  McpAuthModule,
  type McpAuthModuleOptions,
  RequireScopes,
} from 'nestjs-mcp-auth';
import { z } from 'zod';

const ISSUER = 'https://auth.example.com';

//#region lifecycle
export const resources: McpAuthModuleOptions['resources'] = {
  resource: 'https://api.example.com/notes',
  authorizationServers: [ISSUER],
  anonymousMethods: LIFECYCLE_METHODS,
};

@McpController()
export class NotesTools {
  @Tool({ name: 'search', description: 'Search public notes', parameters: z.object({}) })
  @AllowAnonymous() // for everybody
  search() {
    return { content: [{ type: 'text' as const, text: 'public notes' }] };
  }

  @Tool({ name: 'mine', description: 'My notes', parameters: z.object({}) })
  mine() {
    return { content: [{ type: 'text' as const, text: 'my notes' }] }; // needs a token
  }

  @Tool({ name: 'write', description: 'Write a note', parameters: z.object({}) })
  @RequireScopes('notes:write') // needs a token with this scope
  write() {
    return { content: [{ type: 'text' as const, text: 'written' }] };
  }
}
//#endregion lifecycle

//#region user
@Module({
  imports: [
    McpAuthModule.forRoot({
      resources,
      requestUser: { toUser: ({ subject, claims }) => ({ id: subject, roles: claims['groups'] }) },
    }),
  ],
})
export class UserModule {}
//#endregion user
