import {
  Controller,
  Get,
  Inject,
  Injectable,
  Module,
  type OnApplicationShutdown,
  type OnModuleInit,
  Post,
  Sse,
  UseGuards,
} from '@nestjs/common';
import { AuthInfo, BearerAuthGuard, McpAuthModule, McpAuthStreams } from 'nestjs-mcp-auth';
import { RedisReplayStore, RedisRevocationList } from 'nestjs-mcp-auth/redis';
import { createClient, type RedisClientType } from 'redis';
import { NEVER, type Observable } from 'rxjs';

//#region shared
export const REDIS = Symbol('redis');

@Module({
  providers: [
    {
      provide: REDIS,
      useFactory: async () => {
        const client = createClient({ url: process.env['REDIS_URL'] ?? 'redis://127.0.0.1' });
        client.on('error', (error: Error) => {
          console.error(error.message); // without a listener, an error ends the process
        });
        await client.connect();
        return client;
      },
    },
    {
      provide: RedisRevocationList,
      inject: [REDIS],
      useFactory: (client: RedisClientType) => new RedisRevocationList(client),
    },
  ],
  exports: [REDIS, RedisRevocationList],
})
export class SharedModule implements OnApplicationShutdown {
  constructor(@Inject(REDIS) private readonly client: RedisClientType) {}

  onApplicationShutdown(): void {
    this.client.destroy();
  }
}
//#endregion shared

//#region streams
@Injectable()
export class Revocations implements OnModuleInit {
  constructor(
    private readonly list: RedisRevocationList,
    private readonly streams: McpAuthStreams,
  ) {}

  onModuleInit(): void {
    this.list.onRevoked((revocation) => this.streams.end(revocation));
  }

  /** Revokes every token that a person has now. A new sign-in gives new tokens. */
  async signOut({ issuer, subject }: AuthInfo): Promise<void> {
    const now = Date.now();
    const twoHours = 7_200_000; // access tokens live for an hour at most
    const issuedBefore = Math.floor(now / 1000) + 1; // "iat" has whole seconds
    await this.list.revoke({ issuer, subject, issuedBefore }, new Date(now + twoHours));
  }
}
//#endregion streams

@Controller('notes')
@UseGuards(BearerAuthGuard)
export class NotesController {
  constructor(private readonly revocations: Revocations) {}

  @Get()
  list(@AuthInfo('subject') subject: string): string {
    return `notes of ${subject}`;
  }

  @Post('sign-out')
  async signOut(@AuthInfo() auth: AuthInfo): Promise<string> {
    await this.revocations.signOut(auth);
    return 'signed out';
  }

  @Sse('changes')
  changes(): Observable<never> {
    return NEVER;
  }
}

//#region module
@Module({
  imports: [
    SharedModule,
    McpAuthModule.forRootAsync({
      imports: [SharedModule],
      inject: [REDIS, RedisRevocationList],
      useFactory: (client: RedisClientType, revocations: RedisRevocationList) => ({
        resources: {
          resource: process.env['MCP_RESOURCE'] ?? 'https://api.example.com/notes',
          authorizationServers: [
            {
              issuer: process.env['MCP_ISSUER'] ?? 'https://auth.example.com',
              oneTimeTokens: { replayStore: new RedisReplayStore(client) },
            },
          ],
        },
        replicas: 'several',
        isRevoked: revocations.isRevoked,
      }),
    }),
  ],
  controllers: [NotesController],
  providers: [Revocations],
})
export class AppModule {}
//#endregion module
