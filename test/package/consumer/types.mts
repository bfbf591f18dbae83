import { Controller, Get, Injectable, Module, UseGuards } from '@nestjs/common';
import {
  AuthContext,
  AuthInfo,
  BearerAuthGuard,
  McpAuthModule,
  type McpAuthModuleOptions,
  McpHandlerSource,
  type ReplayStore,
  RequireScopes,
  type RevocationList,
  TokenVerifier,
  type VerificationContext,
  VerifiedToken,
} from 'nestjs-mcp-auth';
import { RedisReplayStore, RedisRevocationList } from 'nestjs-mcp-auth/redis';
import { replayStoreContract, TestAuthorizationServer } from 'nestjs-mcp-auth/testing';

@Controller('notes')
@UseGuards(BearerAuthGuard)
export class NotesController {
  constructor(private readonly caller: AuthContext) {}

  @Get()
  @RequireScopes('notes:read', { anyOf: ['notes:a', 'notes:b'] }, ({ name }) => [name])
  list(@AuthInfo() auth: AuthInfo): string {
    return `${auth.clientId} ${auth.subject ?? ''} ${String(this.caller.current()?.scopes.length)}`;
  }
}

@Injectable()
export class NotesHandlers extends McpHandlerSource {
  declarations() {
    return [{ kind: 'tool', name: 'write', requirements: ['notes:write'] }] as const;
  }
}

@Injectable()
export class NotesVerifier extends TokenVerifier {
  verify(token: string, { resource }: VerificationContext): VerifiedToken | null {
    return token === '' ? null : new VerifiedToken({ aud: resource }, { cacheable: false });
  }
}

const options: McpAuthModuleOptions = {
  resources: {
    resource: 'https://api.example.com/notes',
    authorizationServers: [{ issuer: 'https://auth.example.com', type: 'oauth' }],
    requiredScopes: ['notes:read'],
  },
};

@Module({
  imports: [McpAuthModule.forRootAsync({ useFactory: () => options }), McpAuthModule.forRoot(options)],
  controllers: [NotesController],
  providers: [NotesHandlers, NotesVerifier],
})
export class AppModule {}

// The forms of the clients that applications pass in.
const nodeRedis = { isReady: true, sendCommand: () => Promise.resolve('OK'), duplicate: () => ({}) };
const ioredis = { status: 'ready', call: () => Promise.resolve('OK'), duplicate: () => ({}) };
export const store: ReplayStore = new RedisReplayStore(nodeRedis, { keyPrefix: 'notes:' });
export const list: RevocationList = new RedisRevocationList(ioredis, { maxStalenessMs: 10_000 });
export const contract: readonly string[] = replayStoreContract(() => ({ store })).map(({ name }) => name);
export const shared: Partial<McpAuthModuleOptions> = { replicas: 'several', isRevoked: list.isRevoked };

// @ts-expect-error: no client
new RedisReplayStore({ get: () => null });

export const server: Promise<TestAuthorizationServer> = TestAuthorizationServer.start();

// @ts-expect-error: no options
McpAuthModule.forRoot();
