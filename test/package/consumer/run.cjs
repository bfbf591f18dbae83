'use strict';

const RESOURCE = 'https://api.example.com/api/notes';

/**
 * Boots an application with the packed package, sends it requests and prints what it answered as one line of
 * JSON. The application loads the modules in its own way, as ESM or as CommonJS, and hands them in.
 */
exports.run = async ({ common, core, mcpAuth, testing }) => {
  const server = await testing.TestAuthorizationServer.start({
    keys: [await testing.makeTestKey('ES256')],
    allowAnyEnvironment: true,
  });
  const app = await core.NestFactory.create(appModule(common, mcpAuth, server.issuer), {
    logger: false,
    abortOnError: false,
  });
  app.setGlobalPrefix('api');
  await app.listen(0, '127.0.0.1');
  const origin = `http://127.0.0.1:${app.getHttpServer().address().port}`;
  const answers = await ask(origin, server);
  await app.close();
  await server.close();
  console.log(JSON.stringify({ node: process.version, issuer: server.issuer, ...answers }));
};

/** What a decorator-aware compiler makes of a module with a guarded controller. */
function appModule({ Controller, Delete, Get, Module, UseGuards }, mcpAuth, issuer) {
  class NotesController {
    list(auth) {
      return `notes of ${auth.subject}`;
    }
    purge() {
      return 'purged';
    }
  }
  const { prototype } = NotesController;
  const decorate = (name, ...decorators) => {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
    Reflect.decorate(decorators, prototype, name, descriptor);
  };
  mcpAuth.AuthInfo()(prototype, 'list', 0);
  decorate('list', Get());
  decorate('purge', Delete(), mcpAuth.RequireScopes('notes:admin'));
  Reflect.decorate([Controller('notes'), UseGuards(mcpAuth.BearerAuthGuard)], NotesController);

  class AppModule {}
  const resources = { resource: RESOURCE, authorizationServers: [issuer], requiredScopes: ['notes:read'] };
  const imports = [mcpAuth.McpAuthModule.forRoot({ resources })];
  Reflect.decorate([Module({ imports, controllers: [NotesController] })], AppModule);
  return AppModule;
}

async function ask(origin, server) {
  const token = (audience, ...scopes) => server.issueToken({ sub: 'u1', audience, scopes });
  const good = await token(RESOURCE, 'notes:read');
  const foreign = await token('https://api.example.com/api/other', 'notes:read');
  const metadata = '/.well-known/oauth-protected-resource/api/notes';
  return {
    withoutToken: await send(`${origin}/api/notes`),
    withToken: await send(`${origin}/api/notes`, good),
    withOtherAudience: await send(`${origin}/api/notes`, foreign),
    withoutScope: await send(`${origin}/api/notes`, good, 'DELETE'),
    withScope: await send(
      `${origin}/api/notes`,
      await token(RESOURCE, 'notes:read', 'notes:admin'),
      'DELETE',
    ),
    metadata: await send(`${origin}${metadata}`),
    metadataUnderPrefix: await send(`${origin}/api${metadata}`),
  };
}

async function send(url, token, method = 'GET') {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const response = await fetch(url, { method, headers });
  return {
    status: response.status,
    challenge: response.headers.get('www-authenticate'),
    text: await response.text(),
  };
}
