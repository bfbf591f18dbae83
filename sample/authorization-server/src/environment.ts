import type { AuthorizationServerOptions, ResourceScopes } from './authorization-server-options.js';

const DEFAULT_PORT = '4000';
const DEFAULT_RESOURCES = '{"http://127.0.0.1:3000/notes":["notes:read","notes:write","notes:admin"]}';
const DEFAULT_CREDENTIAL = 'demo';

export interface EnvironmentSettings extends AuthorizationServerOptions {
  resources: ResourceScopes;
  /** True when the password is the well-known one; acceptable because only loopback is served. */
  passwordIsDefault: boolean;
}

/** Reads the settings of `main.ts`; throws an Error with a one-line message when a value is not usable. */
export function readEnvironment(environment: NodeJS.ProcessEnv): EnvironmentSettings {
  const username = credential(environment, 'AS_USERNAME');
  const password = credential(environment, 'AS_PASSWORD');
  return {
    port: port(environment['PORT'] ?? DEFAULT_PORT),
    resources: resources(environment['AS_RESOURCES'] ?? DEFAULT_RESOURCES),
    username,
    password,
    passwordIsDefault: password === DEFAULT_CREDENTIAL,
  };
}

function credential(environment: NodeJS.ProcessEnv, name: string): string {
  const value = environment[name] ?? DEFAULT_CREDENTIAL;
  if (value === '') throw new Error(`${name} must not be empty.`);
  return value;
}

function port(value: string): number {
  if (!/^\d{1,5}$/.test(value) || Number(value) > 65_535) {
    throw new Error(`PORT must be a number from 0 to 65535, not ${JSON.stringify(value)}.`);
  }
  return Number(value);
}

function resources(value: string): ResourceScopes {
  const parsed = parseJson(value);
  if (!isResourceScopes(parsed)) {
    throw new Error(
      'AS_RESOURCES must be a JSON object: each key an absolute URL without fragment, each value a list of scopes.',
    );
  }
  return parsed;
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

function isResourceScopes(value: unknown): value is ResourceScopes {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const entries = Object.entries(value);
  return entries.length > 0 && entries.every(([key, scopes]) => isResource(key) && isScopeList(scopes));
}

function isResource(identifier: string): boolean {
  return URL.canParse(identifier) && !identifier.includes('#');
}

/** Scope tokens as RFC 6749 defines them: printable, without space, quote and backslash. */
function isScopeList(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((scope) => typeof scope === 'string' && /^[\x21\x23-\x5B\x5D-\x7E]+$/.test(scope))
  );
}
