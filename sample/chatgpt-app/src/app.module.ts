import { Module } from '@nestjs/common';
import { McpAuthModule, toolChallengeForOpenAi } from 'nestjs-mcp-auth';
import { ArticlesEndpoint } from './articles.endpoint.js';
import { ArticlesStore } from './articles.store.js';
import { ArticlesTools } from './articles.tools.js';
import { ISSUER, RESOURCE } from './environment.js';

//#region module
@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: {
        resource: RESOURCE,
        authorizationServers: [ISSUER],
        // What has no scopes of its own is for everybody.
        allowAnonymous: true,
      },
      // ChatGPT and Codex find the challenge in the result of a call, all other clients in a 401 or 403.
      toolChallenge: toolChallengeForOpenAi,
    }),
  ],
  controllers: [ArticlesEndpoint, ArticlesTools],
  providers: [ArticlesStore],
})
export class AppModule {}
//#endregion module
