import { Module } from '@nestjs/common';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { RedisReplayStore, RedisRevocationList } from 'nestjs-mcp-auth/redis';
import type { RedisClientType } from 'redis';
import { ISSUER, RESOURCE, SESSION_SECRET } from './environment.js';
import { NotesEndpoint } from './notes.endpoint.js';
import { NotesStore } from './notes.store.js';
import { NotesTools } from './notes.tools.js';
import { REDIS, SharedModule } from './shared.module.js';
import { SharedSessions } from './shared-sessions.guard.js';
import { SignOutController } from './sign-out.controller.js';

//#region module
@Module({
  imports: [
    SharedModule,
    McpAuthModule.forRootAsync({
      imports: [SharedModule],
      inject: [REDIS, RedisRevocationList],
      useFactory: (client: RedisClientType, revocations: RedisRevocationList) => ({
        resources: {
          resource: RESOURCE,
          authorizationServers: [ISSUER],
          requiredScopes: ['notes:read'],
          dpop: { mode: 'required', replayStore: new RedisReplayStore(client) },
        },
        replicas: 'several',
        sessionBinding: { secrets: [SESSION_SECRET] },
        isRevoked: revocations.isRevoked,
      }),
    }),
  ],
  controllers: [NotesEndpoint, NotesTools, SignOutController],
  providers: [NotesStore, SharedSessions],
})
export class AppModule {}
//#endregion module
