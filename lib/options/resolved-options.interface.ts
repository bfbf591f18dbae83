import { type JSONWebKeySet } from 'jose';
import {
  type AuthorizationServerType,
  type ProtectedResourceMetadataOptions,
  type TranspileData,
} from './mcp-auth-options.interface.js';

/** One authorization server as configured: checked, defaulted, frozen. @publicApi */
export interface ResolvedAuthorizationServerOptions {
  /** Undefined where the metadata, given by hand or at an address of its own, names it. */
  readonly issuer: string | undefined;
  readonly type: AuthorizationServerType;
  readonly metadataUrl: string | undefined;
  readonly trustDocumentIssuer: boolean;
  readonly metadata: Readonly<Record<string, unknown>> | undefined;
  readonly transpileData: TranspileData | undefined;
  readonly jwks: JSONWebKeySet | (() => JSONWebKeySet | Promise<JSONWebKeySet>) | undefined;
  readonly algorithms: readonly string[];
  readonly mcpCompliance: 'warn' | 'error' | 'off';
}

/** One protected resource as configured: checked, defaulted, frozen. @publicApi */
export interface ResolvedProtectedResourceOptions {
  readonly name: string | undefined;
  readonly resource: string;
  readonly authorizationServers: readonly ResolvedAuthorizationServerOptions[];
  readonly requiredScopes: readonly string[];
  readonly scopesSupported: readonly string[] | undefined;
  /** The audiences that are accepted, as written. */
  readonly audiences: readonly string[];
  readonly metadata: ProtectedResourceMetadataOptions;
}

/** What the whole package works with; see {@link MCP_AUTH_OPTIONS}. @publicApi */
export interface ResolvedMcpAuthOptions {
  readonly resources: readonly ResolvedProtectedResourceOptions[];
  readonly clockToleranceSeconds: number;
  readonly discoveryTimeoutMs: number;
  readonly metadataMaxAgeSeconds: number;
  readonly serveRootAlias: boolean;
  readonly fetch: typeof fetch;
  readonly now: () => Date;
}
