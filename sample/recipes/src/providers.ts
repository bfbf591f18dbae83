import type { ProtectedResourceOptions } from 'nestjs-mcp-auth';
import { auth0 } from './auth0.js';
import { casdoor } from './casdoor.js';
import { cognito, cognitoWithoutAudience } from './cognito.js';
import { entra } from './entra.js';
import { keycloak } from './keycloak.js';
import { logto } from './logto.js';
import { okta } from './okta.js';
import { workos } from './workos.js';

/** Gives an environment variable. @throws Error when it is not set */
export type Environment = (name: string) => string;

type Recipe = (resource: string, env: Environment) => ProtectedResourceOptions;

/** The recipes by the name of their provider, with settings from the environment. */
export const PROVIDERS: Readonly<Record<string, Recipe>> = {
  keycloak: (resource, env) => keycloak({ resource, url: env('KEYCLOAK_URL'), realm: env('KEYCLOAK_REALM') }),
  auth0: (resource, env) => auth0({ resource, issuer: env('AUTH0_ISSUER') }),
  entra: (resource, env) =>
    entra({
      resource,
      tenantIds: env('ENTRA_TENANT_IDS').split(','),
      apiClientId: env('ENTRA_API_CLIENT_ID'),
    }),
  okta: (resource, env) =>
    okta({ resource, url: env('OKTA_URL'), authorizationServerId: env('OKTA_AUTHORIZATION_SERVER') }),
  cognito: (resource, env) => cognito({ resource, issuer: env('COGNITO_ISSUER') }),
  'cognito-without-audience': (resource, env) =>
    cognitoWithoutAudience({ resource, issuer: env('COGNITO_ISSUER') }),
  logto: (resource, env) => logto({ resource, endpoint: env('LOGTO_ENDPOINT') }),
  workos: (resource, env) => workos({ resource, authkitDomain: env('AUTHKIT_DOMAIN') }),
  casdoor: (resource, env) => casdoor({ resource, origin: env('CASDOOR_ORIGIN') }),
};

/** The recipe that PROVIDER names, for MCP_RESOURCE. @throws Error that says what is not set */
export function recipeOf(variables: NodeJS.ProcessEnv): ProtectedResourceOptions {
  const env: Environment = (name) => {
    const value = variables[name];
    if (value === undefined || value === '') throw new Error(`Set ${name}`);
    return value;
  };
  const recipe = Object.entries(PROVIDERS).find(([name]) => name === env('PROVIDER'))?.[1];
  if (!recipe) throw new Error(`PROVIDER is one of ${Object.keys(PROVIDERS).join(', ')}`);
  return recipe(env('MCP_RESOURCE'), env);
}
