import { Module } from '@nestjs/common';
import { ConfigModule, type ConfigType } from '@nestjs/config';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { notesConfig } from './notes.config.js';
import { NotesEndpoint } from './notes.endpoint.js';
import { NotesTools } from './notes.tools.js';

//#region module
@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, load: [notesConfig] }),
    McpAuthModule.forRootAsync({
      inject: [notesConfig.KEY],
      useFactory: ({
        resource,
        issuer,
        allowedOrigins,
        clockToleranceSeconds,
      }: ConfigType<typeof notesConfig>) => ({
        resources: {
          resource,
          authorizationServers: [issuer],
          allowedOrigins,
          requiredScopes: ['notes:read'],
        },
        clockToleranceSeconds,
      }),
    }),
  ],
  controllers: [NotesEndpoint, NotesTools],
})
export class AppModule {}
//#endregion module
