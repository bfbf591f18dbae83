'use strict';

const { createServer } = require('node:http');

const RESOURCE = 'https://api.example.com/api/notes';

/**
 * Boots an application with the packed package, sends it requests and prints what it answered as one line of
 * JSON. The application loads the modules in its own way, as ESM or as CommonJS, and hands them in.
 */
exports.run = async ({ jose, common, core, mcpAuth }) => {
  const server = await startAuthorizationServer(jose);
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
  console.log(JSON.stringify({ issuer: server.issuer, ...answers }));
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

async function ask(origin, { token }) {
  const good = await token({ aud: RESOURCE });
  const metadata = '/.well-known/oauth-protected-resource/api/notes';
  return {
    withoutToken: await send(`${origin}/api/notes`),
    withToken: await send(`${origin}/api/notes`, good),
    withOtherAudience: await send(
      `${origin}/api/notes`,
      await token({ aud: 'https://api.example.com/api/other' }),
    ),
    withoutScope: await send(`${origin}/api/notes`, good, 'DELETE'),
    withScope: await send(
      `${origin}/api/notes`,
      await token({ aud: RESOURCE, scope: 'notes:read notes:admin' }),
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

/** An authorization server's metadata and keys on loopback, and tokens as it would issue them. */
async function startAuthorizationServer({ SignJWT, exportJWK, generateKeyPair }) {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const key = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  const documents = new Map([['/jwks', { keys: [key] }]]);
  const server = createServer((request, response) => {
    const document = documents.get(request.url);
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  documents.set('/.well-known/oauth-authorization-server', {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ['code'],
    code_challenge_methods_supported: ['S256'],
  });
  return {
    issuer,
    token: (claims) =>
      new SignJWT({ sub: 'u1', client_id: 'c1', jti: 'j1', scope: 'notes:read', ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'at+jwt' })
        .setIssuer(issuer)
        .setIssuedAt()
        .setExpirationTime('5 minutes')
        .sign(privateKey),
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}
