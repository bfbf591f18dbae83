import type { Provider } from '@nestjs/common';
import { AuthorizationServerRegistry } from './authorization-server.registry.js';
import { BackgroundRetry } from './background-retry.js';
import { DynamicAuthorizationServers } from './dynamic-authorization-servers.js';
import { IssuerKeysRegistry } from './issuer-keys.registry.js';
import { ResolvedServersRegistry } from './resolved-servers.registry.js';

/** The providers that know authorization servers, their metadata and keys. @internal */
export const AUTHORIZATION_SERVER_PROVIDERS: readonly Provider[] = [
  BackgroundRetry,
  IssuerKeysRegistry,
  AuthorizationServerRegistry,
  DynamicAuthorizationServers,
  ResolvedServersRegistry,
];
