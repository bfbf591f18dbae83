import {
  BadRequestException,
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Header,
  NotFoundException,
  Param,
  Post,
  UseGuards,
} from '@nestjs/common';
import { AuthInfo, BearerAuthGuard, RequireScopes } from 'nestjs-mcp-auth';
import { type ApiKey, ApiKeys } from './api-keys.js';

/** The scopes that a key may have. `keys:manage` is not among them, so no key makes, lists or revokes keys. */
const FOR_KEYS: readonly unknown[] = ['notes:read', 'notes:write'];

const YEAR_SECONDS = 365 * 24 * 3600;

//#region controller
@Controller('notes/keys')
@UseGuards(BearerAuthGuard)
@RequireScopes('keys:manage')
export class KeysController {
  constructor(private readonly keys: ApiKeys) {}

  /** The answer has the key. No other one ever has it again. */
  @Post()
  @Header('Cache-Control', 'no-store')
  create(
    @AuthInfo() auth: AuthInfo,
    @Body() body: { scopes?: unknown } | undefined,
  ): ApiKey & { key: string } {
    const scopes: unknown = body?.scopes;
    // A person cannot give a key more than the person may do.
    const isAllowed = (scope: unknown): boolean =>
      FOR_KEYS.includes(scope) && auth.scopes.includes(scope as string);
    if (!Array.isArray(scopes) || scopes.length === 0 || !scopes.every(isAllowed))
      throw new BadRequestException(
        '"scopes" must be a list of scopes that you have and that a key may have',
      );
    const now = Math.floor(Date.now() / 1000);
    return this.keys.create(ownerOf(auth), [...new Set(scopes as string[])], now + YEAR_SECONDS);
  }

  @Get()
  list(@AuthInfo() auth: AuthInfo): readonly ApiKey[] {
    return this.keys.listOf(ownerOf(auth));
  }

  @Delete(':id')
  @HttpCode(204)
  revoke(@AuthInfo() auth: AuthInfo, @Param('id') id: string): void {
    if (!this.keys.revoke(ownerOf(auth), id)) throw new NotFoundException();
  }
}
//#endregion controller

/** A subject is unique only at its issuer. This server has one authorization server, so its subjects are enough. */
function ownerOf({ subject }: AuthInfo): string {
  if (subject === undefined) throw new BadRequestException('only a person can have keys');
  return subject;
}
