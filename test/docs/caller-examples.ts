import { Controller, Get, Injectable, UseGuards } from '@nestjs/common';
import { AllowAnonymous, AuthContext, AuthInfo, BearerAuthGuard } from 'nestjs-mcp-auth';

const CATALOGUE = ['public'];

//#region context
@Injectable()
export class AuditService {
  readonly lines: string[] = [];

  constructor(private readonly context: AuthContext) {}

  record(action: string) {
    const caller = this.context.current();
    this.lines.push(`${caller?.subject ?? 'nobody'} ${action}`);
  }
}
//#endregion context

//#region anonymous
@Controller('catalogue')
@UseGuards(BearerAuthGuard)
export class CatalogueController {
  constructor(private readonly audit: AuditService) {}

  @Get()
  @AllowAnonymous()
  list(@AuthInfo() auth: AuthInfo | undefined) {
    this.audit.record('listed');
    return auth ? [...CATALOGUE, `drafts of ${auth.subject ?? auth.clientId}`] : CATALOGUE;
  }

  @Get('drafts')
  drafts(@AuthInfo('subject') subject: string) {
    this.audit.record('read drafts');
    return [`drafts of ${subject}`];
  }
}
//#endregion anonymous
