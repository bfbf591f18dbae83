import { Controller, Get, UseGuards } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect } from 'vitest';
import { BearerAuthGuard } from 'nestjs-mcp-auth';
import { type RunningApp, startApp } from '../fixtures/app.js';
import { LoopbackAuthorizationServer } from '../fixtures/authorization-server.js';
import { verifies } from '../verifies.js';

const RESOURCE = 'https://api.example.com/notes';

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list(): string {
    return 'notes';
  }
}

describe('a guarded route', () => {
  let as: LoopbackAuthorizationServer;
  let app: RunningApp;

  beforeAll(async () => {
    as = await LoopbackAuthorizationServer.start();
    app = await startApp(
      { resources: { resource: RESOURCE, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] } },
      { controllers: [NotesController] },
    );
  });

  afterAll(async () => {
    await app.close();
    await as.close();
  });

  verifies('TOK-01', 'admits a good token', async () => {
    const token = await as.token({ aud: RESOURCE, scope: 'notes:read' });
    const answer = await app.send('/notes', { headers: { authorization: `Bearer ${token}` } });
    expect(answer).toMatchObject({ status: 200, text: 'notes' });
  });
});
