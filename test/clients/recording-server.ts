import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Test } from '@nestjs/testing';
import { type Configuration, type JWKS, type KoaContextWithOIDC, Provider } from 'oidc-provider';
import {
  type AuthorizationServerOptions,
  OIDC_PROVIDER,
  SIGNING_KEYS,
} from '../../sample/authorization-server/src/authorization-server-options.js';
import { AuthorizationServerModule } from '../../sample/authorization-server/src/authorization-server.module.js';
import { oidcConfiguration } from '../../sample/authorization-server/src/oidc-configuration.js';

/** The address of the Client ID Metadata Document that the server knows. */
export const CLIENT_METADATA_URL = 'https://client.example/metadata.json';

/** What an authorization server has seen of a client. */
export interface RecordingServer {
  readonly issuer: string;
  /** The clients that registered themselves. */
  readonly registered: readonly string[];
  /** The scopes of each authorization request that was granted. */
  readonly authorized: readonly string[];
  readonly tokenRequests: readonly TokenRequest[];
  close(): Promise<void>;
}

interface TokenRequest {
  readonly grantType: string;
  readonly clientId: string;
  readonly hasProof: boolean;
}

export interface RecordingServerOptions extends Pick<
  AuthorizationServerOptions,
  'resources' | 'clients' | 'registration' | 'username' | 'password'
> {
  /** The redirect URI of the client that {@link CLIENT_METADATA_URL} describes; without it the server knows no documents. */
  readonly documentRedirectUri?: string;
}

/** The authorization server of the samples with a record of its clients, and with client ID metadata documents on request. */
export async function startRecordingServer({
  documentRedirectUri,
  ...options
}: RecordingServerOptions): Promise<RecordingServer> {
  const listeners: RequestListener[] = [];
  const http = createServer((request, response) => listeners[0]?.(request, response));
  await new Promise<void>((listening) => http.listen(0, '127.0.0.1', listening));
  const { port } = http.address() as AddressInfo;
  const all = { ...options, port, issuer: `http://127.0.0.1:${String(port)}` };
  const makeProvider = (keys: JWKS): Provider => {
    const configuration = oidcConfiguration(all.issuer, all, keys);
    return new Provider(
      all.issuer,
      documentRedirectUri === undefined ? configuration : withDocument(configuration, documentRedirectUri),
    );
  };
  const module = await Test.createTestingModule({ imports: [AuthorizationServerModule.forRoot(all)] })
    .overrideProvider(OIDC_PROVIDER)
    .useFactory({ inject: [SIGNING_KEYS], factory: makeProvider })
    .compile();
  const app = module.createNestApplication({ bodyParser: false, logger: ['error'] });
  await app.init();
  listeners.push(app.getHttpAdapter().getInstance() as RequestListener);
  const close = async (): Promise<void> => {
    await new Promise((closed) => {
      http.close(closed);
      http.closeAllConnections();
    });
    await app.close();
  };
  return { issuer: all.issuer, ...recordOf(app.get(OIDC_PROVIDER)), close };
}

function withDocument(configuration: Configuration, redirectUri: string): Configuration {
  const document = {
    client_id: CLIENT_METADATA_URL,
    client_name: 'Client under test',
    redirect_uris: [redirectUri],
    application_type: 'native',
    token_endpoint_auth_method: 'none',
    grant_types: ['authorization_code', 'refresh_token'],
  };
  return {
    ...configuration,
    features: {
      ...configuration.features,
      clientIdMetadataDocument: { enabled: true, ack: 'draft-02' },
    },
    // The document is the only thing that this server fetches; its host does not exist.
    fetch: () => Promise.resolve(Response.json(document)),
  };
}

function recordOf(provider: Provider) {
  const registered: string[] = [];
  const authorized: string[] = [];
  const tokenRequests: TokenRequest[] = [];
  provider.on('registration_create.success', (_ctx, { clientId }) => registered.push(clientId));
  provider.on('authorization.success', (ctx) => authorized.push(String(ctx.oidc.params?.['scope'])));
  provider.on('grant.success', (ctx) => tokenRequests.push(tokenRequestOf(ctx)));
  return { registered, authorized, tokenRequests };
}

function tokenRequestOf(ctx: KoaContextWithOIDC): TokenRequest {
  return {
    grantType: String(ctx.oidc.params?.['grant_type']),
    clientId: ctx.oidc.client?.clientId ?? '',
    hasProof: ctx.get('DPoP') !== '',
  };
}
