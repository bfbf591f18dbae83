import { plainToInstance } from 'class-transformer';
import { Allow, getMetadataStorage, validateSync, type ValidationError } from 'class-validator';
import type { ConfigProblem } from '../errors/config.error.js';
import { writtenOutApiKeys } from './api-key-options.js';
import { withObjectKept } from './application-object.js';
import { writtenOutDpop } from './dpop-options.js';
import { writtenOutMutualTls } from './mutual-tls-options.js';
import { isPlainObject } from './value-rules.js';
import { didYouMean, hintForOtherName } from './did-you-mean.js';
import { AnyAuthorizationServerOptions } from './authorization-server-options.js';
import { McpAuthModuleOptions } from './mcp-auth-options.js';
import type { ProtectedResourceOptions } from './protected-resource-options.js';
import { withReplayStoreKept } from './replay-store-options.js';
import { TenantOptions } from './tenant-options.js';

/** {@link ProtectedResourceOptions} with every server as an object. @internal */
export interface CheckedResource extends Omit<ProtectedResourceOptions, 'authorizationServers'> {
  readonly authorizationServers: readonly AnyAuthorizationServerOptions[];
}

/** {@link McpAuthModuleOptions} with every short form expanded. @internal */
export interface CheckedOptions extends Omit<McpAuthModuleOptions, 'resources'> {
  readonly resources: readonly CheckedResource[];
}

/** What `forRoot` takes: the module reads these members itself, and a factory may return them among the options. */
class GivenOptions extends McpAuthModuleOptions {
  @Allow() readonly isGlobal?: unknown;
  @Allow() readonly decorators?: unknown;
}

/** Returns the options as class instances with their defaults, and all problems with their shape. @internal */
export function checkShape(given: Record<string, unknown>): {
  options: CheckedOptions;
  problems: ConfigProblem[];
} {
  const problems: ConfigProblem[] = [];
  const options = plainToInstance(GivenOptions, writtenOut(given, problems), { exposeDefaultValues: true });
  const errors = validateSync(options, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
  });
  problems.push(...errors.flatMap((error) => toProblems(error, '')));
  return { options: options as unknown as CheckedOptions, problems };
}

/** As {@link checkShape}, for the options of one authorization server. @internal */
export function checkServerShape(
  given: unknown,
  path: string,
): { options: AnyAuthorizationServerOptions; problems: ConfigProblem[] } {
  const written = writtenOutOrProblem(given, path);
  const options = plainToInstance(AnyAuthorizationServerOptions, written.server, {
    exposeDefaultValues: true,
  });
  const errors = validateSync(options, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
  });
  return { options, problems: [...written.problems, ...errors.flatMap((error) => toProblems(error, path))] };
}

/** As {@link checkShape}, for what belongs to a tenant. The authorization servers are only a list: check each. @internal */
export function checkTenantShape(
  given: unknown,
  path: string,
): { options: TenantOptions; problems: ConfigProblem[] } {
  const problem = isPlainObject(given);
  if (problem !== undefined)
    return { options: new TenantOptions(), problems: [{ path, message: `${problem}, or undefined` }] };
  const { authorizationServers, ...others } = given as Record<string, unknown>;
  const options = plainToInstance(TenantOptions, others, { exposeDefaultValues: true });
  Object.assign(options, { authorizationServers });
  const errors = validateSync(options, {
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
  });
  return { options, problems: errors.flatMap((error) => toProblems(error, path)) };
}

/** Expands short forms: one resource becomes a list, an issuer string an object. Copies; the input does not change. */
function writtenOut(given: Record<string, unknown>, problems: ConfigProblem[]): object {
  const { resources, ...others } = withObjectKept(given, 'verifier', 'verify');
  if (resources === undefined) return others;
  const list: unknown[] = Array.isArray(resources) ? resources : [resources];
  return { ...others, resources: list.map((resource, at) => writtenOutResource(resource, at, problems)) };
}

function writtenOutResource(given: unknown, at: number, problems: ConfigProblem[]): unknown {
  if (typeof given !== 'object' || given === null) return given;
  const withVerifier = withObjectKept<Record<string, unknown>>({ ...given }, 'verifier', 'verify');
  const withResolver = withObjectKept(withVerifier, 'authorizationServerResolver', 'resolve');
  const resource = withObjectKept(withResolver, 'tenants', 'resolve');
  if ('dpop' in resource) resource['dpop'] = writtenOutDpop(resource['dpop']);
  if ('apiKeys' in resource) resource['apiKeys'] = writtenOutApiKeys(resource['apiKeys']);
  if ('mutualTls' in resource) resource['mutualTls'] = writtenOutMutualTls(resource['mutualTls']);
  const { authorizationServers, tenants } = resource;
  if (tenants !== undefined) {
    if (authorizationServers !== undefined)
      problems.push({ path: `resources[${String(at)}].authorizationServers`, message: SERVERS_OF_TENANTS });
    return { ...resource, authorizationServers: [] };
  }
  if (!Array.isArray(authorizationServers)) return resource;
  const servers = authorizationServers.map((server: unknown, index) => {
    const path = `resources[${String(at)}].authorizationServers[${String(index)}]`;
    const written = writtenOutOrProblem(server, path);
    problems.push(...written.problems);
    return written.server;
  });
  return { ...resource, authorizationServers: servers };
}

function writtenOutOrProblem(server: unknown, path: string): { server: object; problems: ConfigProblem[] } {
  if (typeof server === 'string') return { server: { issuer: server }, problems: [] };
  if (isPlainObject(server) === undefined)
    return { server: writtenOutServer(server as Record<string, unknown>), problems: [] };
  // Such as a missing environment variable: class-validator does not report members that are undefined.
  const found = describe({ property: 'authorizationServers', value: server });
  return { server: STAND_IN, problems: [{ path, message: `must be an issuer; got ${found}` }] };
}

function writtenOutServer(given: Record<string, unknown>): Record<string, unknown> {
  const { oneTimeTokens } = given;
  return oneTimeTokens === undefined
    ? given
    : { ...given, oneTimeTokens: withReplayStoreKept(oneTimeTokens) };
}

const SERVERS_OF_TENANTS =
  'stands beside "tenants", which names the servers of each tenant; leave one of the two out';

/** Replaces an invalid server, so that further problems are found too. */
const STAND_IN = { issuer: 'https://auth.example.com' };

function toProblems(error: ValidationError, parent: string): ConfigProblem[] {
  const index = /^\d+$/.test(error.property);
  const path =
    parent === '' ? error.property : `${parent}${index ? `[${error.property}]` : `.${error.property}`}`;
  const messages = Object.entries(error.constraints ?? {}).map(([constraint, message]) =>
    constraint === 'whitelistValidation' ? unknownOption(error) : withFound(message, error),
  );
  // Two rules of an option may have the same message.
  const own = [...new Set(messages)].map((message) => ({ path, message }));
  return [...own, ...(error.children ?? []).flatMap((child) => toProblems(child, path))];
}

/** If a message begins with a quoted member of the value, it is about that member and not about the whole. */
function withFound(message: string, error: ValidationError): string {
  return message.startsWith('"') ? message : `${message}; got ${describe(error)}`;
}

function unknownOption({ property, target }: ValidationError): string {
  const known = knownOptions(target);
  const hint = hintForOtherName(property, known) ?? suggestion(didYouMean(property, known));
  return hint === undefined ? 'is not an option.' : `is not an option. ${hint}`;
}

const suggestion = (name: string | undefined): string | undefined => name && `Did you mean "${name}"?`;

function knownOptions(target: object = {}): string[] {
  const rules = getMetadataStorage().getTargetValidationMetadatas(target.constructor, '', false, false);
  return [...new Set(rules.map(({ propertyName }) => propertyName))];
}

/** Options whose text may be a secret or a private key, given in the wrong form. */
const SECRET_OPTIONS: readonly string[] = [
  ...[
    'jwks',
    'privateKey',
    'clientSecret',
    'bearerToken',
    'headers',
    'introspection',
    'secrets',
    'tokenExchange',
  ],
];

/** Describes a value for an error message: short, on one line, and without the contents of an object. */
function describe({ property, value }: Pick<ValidationError, 'property' | 'value'>): string {
  if (typeof value === 'string' && !SECRET_OPTIONS.includes(property)) {
    const text = value.replace(/\/\/[^/]*@/, '//…@'); // a password may stand there
    return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
  }
  if (Array.isArray(value)) return `a list of ${String(value.length)}`;
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  return `a value of type ${typeof value}`;
}
