import { Controller, Get, UseGuards } from '@nestjs/common';
import { AuthInfo, BearerAuthGuard, ProtectedResource } from 'nestjs-mcp-auth';

@Controller('export')
@UseGuards(BearerAuthGuard)
@ProtectedResource('export')
export class ExportController {
  @Get()
  export(@AuthInfo('subject') subject: string): { for: string; notes: string[] } {
    return { for: subject, notes: [] };
  }
}
