import { type ConfigProblem } from '../errors/config.error.js';
import {
  type AuthorizationServerDto,
  type McpAuthModuleOptionsDto,
  type ProtectedResourceDto,
} from './mcp-auth-options.dto.js';
import { canonicalResource } from './url-rules.js';

/** What is wrong between options that are each right in shape. @internal */
export function crossProblems({ resources, serveRootAlias }: McpAuthModuleOptionsDto): ConfigProblem[] {
  const alias =
    serveRootAlias === true && resources.length > 1
      ? [{ path: 'serveRootAlias', message: 'needs exactly one resource; leave it out' }]
      : [];
  return [
    ...duplicates(resources, ({ resource }) => canonicalResource(resource), 'resources', 'resource'),
    ...duplicates(resources, ({ name }) => name, 'resources', 'name'),
    ...alias,
    ...resources.flatMap((resource, index) => resourceProblems(resource, `resources[${String(index)}]`)),
  ];
}

function resourceProblems(
  { authorizationServers, resource, metadata }: ProtectedResourceDto,
  path: string,
): ConfigProblem[] {
  const list = `${path}.authorizationServers`;
  return [
    ...duplicates(authorizationServers, serverIssuer, list, 'issuer'),
    ...authorizationServers.flatMap((server, index) => serverProblems(server, `${list}[${String(index)}]`)),
    ...signedMetadataProblems(metadata?.['signed_metadata'], resource, `${path}.metadata`),
  ];
}

function serverIssuer({ issuer, metadata }: AuthorizationServerDto): unknown {
  return issuer ?? metadata?.['issuer'];
}

function serverProblems(server: AuthorizationServerDto, path: string): ConfigProblem[] {
  const { issuer, metadataUrl, metadata } = server;
  if (metadata !== undefined && (issuer !== undefined || metadataUrl !== undefined)) {
    return [
      {
        path,
        message: 'has "metadata" beside "issuer" or "metadataUrl"; the metadata names its issuer itself',
      },
    ];
  }
  if (issuer === undefined && metadataUrl === undefined && metadata === undefined) {
    return [{ path, message: 'names no server; give "issuer", "metadataUrl" or "metadata"' }];
  }
  if (server.trustDocumentIssuer === true && (metadataUrl === undefined || issuer !== undefined)) {
    return [
      { path, message: 'has "trustDocumentIssuer", which goes with "metadataUrl" and without "issuer"' },
    ];
  }
  return [];
}

function signedMetadataProblems(signed: unknown, resource: string, path: string): ConfigProblem[] {
  if (typeof signed !== 'string') return [];
  const payload = Buffer.from(signed.split('.')[1] ?? '', 'base64url').toString();
  const claimed = (JSON.parse(payload) as { resource?: unknown }).resource;
  if (claimed === undefined || claimed === resource) return [];
  return [{ path, message: '"signed_metadata" is made for another "resource"; sign it anew for this one' }];
}

function duplicates<T>(
  items: readonly T[],
  key: (item: T) => unknown,
  path: string,
  what: string,
): ConfigProblem[] {
  const seen = new Map<unknown, number>();
  return items.flatMap((item, index) => {
    const value = key(item);
    const first = seen.get(value);
    if (value === undefined) return [];
    if (first === undefined) {
      seen.set(value, index);
      return [];
    }
    const message = `is the same ${what} as ${path}[${String(first)}]; keep one of them`;
    return [{ path: `${path}[${String(index)}].${what}`, message }];
  });
}
