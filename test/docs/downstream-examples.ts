import { Controller, Get, UseGuards } from '@nestjs/common';
import { BearerAuthGuard, DownstreamTokens } from 'nestjs-mcp-auth';

const TENANT = process.env['ENTRA_TENANT'] ?? '00000000-0000-0000-0000-000000000000';
const CLIENT_ID = process.env['ENTRA_CLIENT_ID'] ?? '';

//#region entra-options
export const entra = {
  issuer: `https://login.microsoftonline.com/${TENANT}/v2.0`,
  tokenExchange: {
    preset: 'entra-on-behalf-of' as const,
    clientId: CLIENT_ID,
    clientSecret: () => process.env['ENTRA_CLIENT_SECRET'] ?? '',
  },
};
//#endregion entra-options

@Controller('notes')
@UseGuards(BearerAuthGuard)
export class MailController {
  constructor(private readonly tokens: DownstreamTokens) {}

  //#region entra-call
  @Get('mail')
  async mail() {
    const scopes = ['https://graph.microsoft.com/Mail.Read'];
    const { accessToken, scopes: granted } = await this.tokens.forResource({ scopes });
    return { granted, characters: accessToken.length };
  }
  //#endregion entra-call
}
