import { Controller, Get, type Type, UseGuards } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { describe, expect } from 'vitest';
import { AllowAnonymous, BearerAuthGuard, SkipBearerAuth } from 'nestjs-mcp-auth';
import { PLATFORMS, start } from '../../fixtures/app.js';
import { notesRejections, rejectedAs } from '../../fixtures/notes-rejections.js';
import { NOTES, offlineResource } from '../../fixtures/resources.js';
import { verifies } from '../../verifies.js';

class Routes {
  @Get('read')
  read(): string {
    return 'read';
  }
}

class WithHealth extends Routes {
  @Get('health')
  @SkipBearerAuth()
  health(): string {
    return 'health';
  }
}

/** A class that a decorator opens, and two that extend it: one as it is, one that says so too. */
function opened(decorator: ClassDecorator, Base: Type = Routes) {
  @Controller('notes/open')
  class Open extends Base {}
  decorator(Open);
  @Controller('notes/below')
  class Below extends Open {}
  @Controller('notes/again')
  class Again extends Open {}
  decorator(Again);
  return [Open, Below, Again];
}

describe.each(PLATFORMS)('a class that extends an open one, on %s', (platform) => {
  const { noToken } = notesRejections('');
  const options = { resources: offlineResource(NOTES) };

  verifies(
    'WAY-18',
    'needs a token under a global guard, by @SkipBearerAuth() and by @AllowAnonymous()',
    async () => {
      const providers = [{ provide: APP_GUARD, useClass: BearerAuthGuard }];
      for (const decorator of [SkipBearerAuth(), AllowAnonymous()]) {
        const app = await start(options, { controllers: opened(decorator), providers, platform });
        expect((await app.send('/notes/open/read')).text).toBe('read');
        expect((await app.send('/notes/again/read')).text).toBe('read');
        expect(rejectedAs(await app.send('/notes/below/read'))).toEqual(noToken);
      }
    },
  );

  verifies('WAY-18', 'needs a token under a guard of its own', async () => {
    const [Open, Below] = opened(SkipBearerAuth());
    for (const each of [Open, Below]) UseGuards(BearerAuthGuard)(each!);
    const app = await start(options, { controllers: [Open!, Below!], platform });
    expect((await app.send('/notes/open/read')).text).toBe('read');
    expect(rejectedAs(await app.send('/notes/below/read'))).toEqual(noToken);
  });

  verifies('WAY-18', 'inherits methods that are open themselves', async () => {
    const providers = [{ provide: APP_GUARD, useClass: BearerAuthGuard }];
    const controllers = opened(SkipBearerAuth(), WithHealth);
    const app = await start(options, { controllers, providers, platform });
    expect((await app.send('/notes/below/health')).text).toBe('health');
  });
});
