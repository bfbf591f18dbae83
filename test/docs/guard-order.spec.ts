import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  type INestApplication,
  Injectable,
  UseGuards,
} from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { type AuthInfo, BearerAuthGuard } from 'nestjs-mcp-auth';
import { describe, expect, it } from 'vitest';
import { PLATFORMS, start } from '../fixtures/app.js';
import { NOTES } from '../fixtures/resources.js';
import { server } from '../fixtures/servers.js';

/** Whom each guard has seen, in order. */
const seen: (string | undefined)[] = [];

@Injectable()
class SeeingGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    seen.push(context.switchToHttp().getRequest<{ auth?: AuthInfo }>().auth?.subject);
    return true;
  }
}

@Controller('notes')
@UseGuards(SeeingGuard, BearerAuthGuard, SeeingGuard)
class NotesController {
  @Get()
  list() {
    return 'notes';
  }
}

const seeing = { provide: APP_GUARD, useClass: SeeingGuard };

describe.each(PLATFORMS)('what the page on the order of guards says, on %s', (platform) => {
  it.each([
    ['guards behind ours know the caller', [seeing], false, [undefined, undefined, 'u1']],
    [
      'global guards behind ours know the caller',
      [{ provide: APP_GUARD, useClass: BearerAuthGuard }, seeing],
      false,
      ['u1', 'u1', 'u1'],
    ],
    ['all guards know it with early authentication', [seeing], true, ['u1', 'u1', 'u1']],
  ])('%s', async (_, providers, earlyAuthentication, expected) => {
    const as = await server();
    const options = {
      resources: { resource: NOTES, authorizationServers: [as.issuer] },
      earlyAuthentication,
    };
    const ofMiddleware: (string | undefined)[] = [];
    const prepare = (nest: INestApplication): void => {
      nest.use((request: { auth?: AuthInfo }, _: unknown, next: () => void) => {
        ofMiddleware.push(request.auth?.subject);
        next();
      });
    };
    const app = await start(options, { controllers: [NotesController], providers, prepare, platform });
    seen.length = 0;
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES })}` };
    expect((await app.send('/notes', { headers })).status).toBe(200);
    expect(seen).toEqual(expected);
    expect(ofMiddleware).toEqual([earlyAuthentication ? 'u1' : undefined]);
  });
});
