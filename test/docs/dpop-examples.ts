import { DpopSession } from '@modelcontextprotocol/client';
import { Controller, ForbiddenException, Get, Module, Post, UseGuards } from '@nestjs/common';
import { AuthInfo, BearerAuthGuard, McpAuthModule, type ReplayStore } from 'nestjs-mcp-auth';
import { ClientProvider } from '../../sample/client/src/client-provider.js';

const ISSUER = process.env['MCP_ISSUER'] ?? '';
const SECRET = process.env['MCP_DPOP_SECRET'] ?? '';
const OLD_SECRET = process.env['MCP_DPOP_OLD_SECRET'] ?? '';

//#region binding
@Controller('notes')
@UseGuards(BearerAuthGuard)
export class NotesController {
  @Get()
  list(@AuthInfo('subject') subject: string) {
    return `notes of ${subject}`;
  }

  /** Only for callers that have proved to hold the key of their token. */
  @Post('export')
  export(@AuthInfo() { binding, subject }: AuthInfo) {
    if (binding !== 'jkt') throw new ForbiddenException('Use a token that is bound by DPoP');
    return `all notes of ${subject ?? ''}`;
  }
}
//#endregion binding

//#region allowed
@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: {
        resource: 'https://api.example.com/notes',
        authorizationServers: [ISSUER],
        dpop: 'allowed',
      },
    }),
  ],
  controllers: [NotesController],
})
export class AppModule {}
//#endregion allowed

/** A resource that asks for nonces, with a store of its own for proofs that were used. */
export function strictModule(replayStore: ReplayStore) {
  //#region strict
  return McpAuthModule.forRoot({
    resources: {
      resource: 'https://api.example.com/notes',
      authorizationServers: [ISSUER],
      dpop: {
        mode: 'required',
        algorithms: ['ES256', 'Ed25519'],
        proofMaxAgeSeconds: 60,
        nonce: { secrets: [SECRET, OLD_SECRET] },
        replayStore,
      },
    },
  });
  //#endregion strict
}

//#region client
/** Gives the official client a key. One session belongs to one registration: keep its key as long as the tokens. */
export class ProvingProvider extends ClientProvider {
  private readonly session = DpopSession.create();

  dpop(): Promise<DpopSession> {
    return this.session;
  }
}
//#endregion client
