import { Controller, type OnModuleInit, Post, UseGuards } from '@nestjs/common';
import { AuthInfo, BearerAuthGuard, McpAuthStreams } from 'nestjs-mcp-auth';
import { RedisRevocationList } from 'nestjs-mcp-auth/redis';

const LONGEST_LIFE_MS = 3_600_000; // no access token lives longer

//#region sign-out
@Controller('notes/sign-out')
@UseGuards(BearerAuthGuard)
export class SignOutController implements OnModuleInit {
  constructor(
    private readonly revocations: RedisRevocationList,
    private readonly streams: McpAuthStreams,
  ) {}

  /** Ends the open streams of this replica, whichever replica has revoked their tokens. */
  onModuleInit(): void {
    this.revocations.onRevoked((revocation) => this.streams.end(revocation));
  }

  /** Revokes each token that the caller has now. */
  @Post()
  async signOut(@AuthInfo() { issuer, subject }: AuthInfo): Promise<string> {
    const now = Date.now();
    const revocation = { issuer, subject, issuedBefore: Math.floor(now / 1000) };
    await this.revocations.revoke(revocation, new Date(now + LONGEST_LIFE_MS));
    return 'signed out';
  }
}
//#endregion sign-out
