import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { RedisRevocationList } from 'nestjs-mcp-auth/redis';
import { createClient, type RedisClientType } from 'redis';
import { REDIS_URL } from './environment.js';

export const REDIS = Symbol('redis');

//#region shared
/** What the replicas share: one client of Redis for the package and for the application. */
@Module({
  providers: [
    {
      provide: REDIS,
      useFactory: async () => {
        // While Redis is away, commands of the application fail. By default they would wait for it.
        const client = createClient({ url: REDIS_URL, disableOfflineQueue: true });
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
