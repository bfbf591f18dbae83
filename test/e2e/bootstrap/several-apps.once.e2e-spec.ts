import { Controller, Get, type INestApplication, Inject, Module, UseGuards } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { describe, expect, it } from 'vitest';
import { AuthContext, BearerAuthGuard, McpAuthModule } from 'nestjs-mcp-auth';
import { adapterOf, PLATFORMS, startCreated } from '../../fixtures/app.js';
import { AppController } from '../../fixtures/apps.js';
import { type HttpAnswer, send } from '../../fixtures/http.js';
import { closeAfterTest } from '../../fixtures/opened.js';
import { NOTES, NOTES_METADATA, PRM } from '../../fixtures/resources.js';
import { server } from '../../fixtures/servers.js';
import { verifies } from '../../verifies.js';

const INVALID = (scope: string) =>
  `Bearer error="invalid_token", scope="${scope}", resource_metadata="${NOTES_METADATA}", error_description="The access token is invalid or expired"`;

/** Says who is the caller where no guard has been. */
@Controller('open')
class OpenController {
  @Inject() private readonly context!: AuthContext;

  @Get()
  who(): string {
    return this.context.current()?.subject ?? 'nobody';
  }
}

const outcome = ({ status, headers }: HttpAnswer) => [status, headers['www-authenticate']];

describe.each([
  ['express', 'express'],
  ['express', 'fastify'],
  ['fastify', 'fastify'],
] as const)('two apps in one process, on %s and %s', (one, other) => {
  it('each have their own servers, scopes, documents and callers', async () => {
    const [asOne, asOther] = [await server(), await server()];
    const resource = NOTES;
    const [first, second] = await Promise.all([
      startCreated(
        { resources: { resource, authorizationServers: [asOne.issuer], requiredScopes: ['one'] } },
        { platform: one, controllers: [AppController, OpenController] },
      ),
      startCreated(
        { resources: { resource, authorizationServers: [asOther.issuer], requiredScopes: ['other'] } },
        { platform: other, controllers: [AppController, OpenController] },
      ),
    ]);
    const bearer = async (as: typeof asOne, sub: string) => ({
      headers: { authorization: `Bearer ${await as.token({ aud: NOTES, scope: 'one other', sub })}` },
    });
    await Promise.all(
      Array.from({ length: 20 }, async (_, number) => {
        const subject = `u${number}`;
        const [tokenOne, tokenOther] = [await bearer(asOne, subject), await bearer(asOther, subject)];
        const answers = await Promise.all([
          first.send('/notes', tokenOne),
          second.send('/notes', tokenOther),
          first.send('/notes', tokenOther),
          second.send('/notes', tokenOne),
          first.send('/open', tokenOne),
        ]);
        const seen = { subject, context: subject, same: true, scopes: ['one', 'other'] };
        expect(answers.slice(0, 2).map(({ json }) => json)).toEqual([seen, seen]);
        expect(answers.slice(2, 4).map(outcome)).toEqual([
          [401, INVALID('one')],
          [401, INVALID('other')],
        ]);
        expect(answers[4].text).toBe('nobody');
      }),
    );
    expect((await first.send(`${PRM}/notes`)).json).toMatchObject({ authorization_servers: [asOne.issuer] });
    expect((await second.send(`${PRM}/notes`)).json).toMatchObject({
      authorization_servers: [asOther.issuer],
    });
    await first.close();
    expect((await second.send('/notes', await bearer(asOther, 'u1'))).status).toBe(200);
  });

  it('do not share a caller if one calls the other', async () => {
    const as = await server();
    const resources = { resource: NOTES, authorizationServers: [as.issuer] };
    const callee = await startCreated({ resources }, { platform: other, controllers: [OpenController] });

    @Controller('calling')
    @UseGuards(BearerAuthGuard)
    class CallingController {
      @Inject() private readonly context!: AuthContext;

      @Get()
      async call(): Promise<string[]> {
        const { text } = await send(callee.origin, '/open');
        return [text, this.context.current()?.subject ?? 'nobody'];
      }
    }
    const caller = await startCreated({ resources }, { platform: one, controllers: [CallingController] });
    const headers = { authorization: `Bearer ${await as.token({ aud: NOTES })}` };
    expect((await caller.send('/calling', { headers })).json).toEqual(['nobody', 'u1']);
  });
});

describe('one AppModule', () => {
  verifies('PRM-09', 'makes an application of each platform, side by side', async () => {
    const as = await server();
    @Module({
      imports: [McpAuthModule.forRoot({ resources: { resource: NOTES, authorizationServers: [as.issuer] } })],
      controllers: [AppController],
    })
    class AppModule {}
    for (const platforms of [PLATFORMS, [...PLATFORMS].reverse()]) {
      const apps: INestApplication[] = [];
      for (const platform of platforms) {
        const app = await NestFactory.create(AppModule, adapterOf(platform), { logger: false });
        apps.push(closeAfterTest(app));
        await app.listen(0, '127.0.0.1');
      }
      for (const app of apps) {
        const origin = await app.getUrl();
        expect((await send(origin, `${PRM}/notes`)).status).toBe(200);
        expect((await send(origin, `${PRM}/note`)).json).toMatchObject({ error: 'not_found' });
        expect((await send(origin, '/notes')).status).toBe(401);
      }
    }
  });
});
