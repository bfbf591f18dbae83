import { Controller, Get, type INestApplication, UseGuards } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { BearerAuthGuard, McpAuthModule } from 'nestjs-mcp-auth';
import { TestAuthorizationServer } from 'nestjs-mcp-auth/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';

@Controller('notes')
@UseGuards(BearerAuthGuard)
class NotesController {
  @Get()
  list(): string {
    return 'notes';
  }
}

const resource = 'https://api.example.com/notes';
let as: TestAuthorizationServer;
let app: INestApplication;

//#region testing
beforeAll(async () => {
  as = await TestAuthorizationServer.start({ issuerPath: '/tenant1' });
  const options = { resource, authorizationServers: [as.issuer], requiredScopes: ['notes:read'] };
  const module = await Test.createTestingModule({
    imports: [McpAuthModule.forRoot({ resources: options })],
    controllers: [NotesController],
  }).compile();
  app = module.createNestApplication();
  await app.listen(0, '127.0.0.1');
});

afterAll(async () => {
  await app.close();
  await as.close();
});

it.each([
  ['200 to a token for this resource', { audience: resource, scopes: ['notes:read'] }, 200],
  ['401 to a token for another', { audience: `${resource}2`, scopes: ['notes:read'] }, 401],
  ['403 to a token without the scope', { audience: resource, scopes: ['notes:write'] }, 403],
])('answers %s', async (_, token, status) => {
  const authorization = `Bearer ${await as.issueToken(token)}`;
  expect((await fetch(`${await app.getUrl()}/notes`, { headers: { authorization } })).status).toBe(status);
});
//#endregion testing
