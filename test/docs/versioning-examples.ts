import {
  Controller,
  Get,
  type INestApplication,
  Module,
  UseGuards,
  VERSION_NEUTRAL,
  VersioningType,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { BearerAuthGuard, McpAuthModule, ProtectedResource } from 'nestjs-mcp-auth';

const ISSUER = process.env['MCP_ISSUER'] ?? '';

//#region versioning
@Controller('reports') // at /api/v1/reports
@UseGuards(BearerAuthGuard)
@ProtectedResource('reports')
export class ReportsController {
  @Get()
  list() {
    return 'reports';
  }
}

@Controller({ path: 'notes', version: VERSION_NEUTRAL }) // at /api/notes
@UseGuards(BearerAuthGuard)
@ProtectedResource('notes')
export class NotesController {
  @Get()
  list() {
    return 'notes';
  }
}

@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: [
        {
          name: 'reports',
          resource: 'https://api.example.com/api/v1/reports',
          authorizationServers: [ISSUER],
        },
        { name: 'notes', resource: 'https://api.example.com/api/notes', authorizationServers: [ISSUER] },
      ],
    }),
  ],
  controllers: [ReportsController, NotesController],
})
export class VersionedModule {}

export async function createVersioned(): Promise<INestApplication> {
  const app = await NestFactory.create(VersionedModule);
  app.setGlobalPrefix('api');
  return app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
}
//#endregion versioning
