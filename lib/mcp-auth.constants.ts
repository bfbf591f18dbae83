/** Injection token of the validated, defaulted and frozen options. @publicApi */
export const MCP_AUTH_OPTIONS = Symbol.for('nestjs-mcp-auth:options');

/** Injection token of the options as the application wrote them; read once, by the module. @internal */
export const MCP_AUTH_GIVEN_OPTIONS = Symbol.for('nestjs-mcp-auth:given-options');

/**
 * Injection token of the services of guard and middleware. If the module is not imported, Nest's message names this token as
 * the missing import.
 *
 * @internal
 */
export const IMPORTED_MODULE = 'McpAuthModule.forRoot()';

/** Metadata key of `@RequireScopes()`. @internal */
export const REQUIRED_SCOPES = 'nestjs-mcp-auth:required-scopes';

/** Metadata key of `@RequireAuthentication()`. @internal */
export const REQUIRED_AUTHENTICATION = 'nestjs-mcp-auth:required-authentication';

/** Metadata key of `@RequirePolicy()`. @internal */
export const REQUIRED_POLICIES = 'nestjs-mcp-auth:required-policies';

/** Metadata key of `@SkipBearerAuth()`. @internal */
export const SKIP_BEARER_AUTH = 'nestjs-mcp-auth:skip-bearer-auth';

/** Metadata key of `@AllowAnonymous()`. @internal */
export const ALLOW_ANONYMOUS = 'nestjs-mcp-auth:allow-anonymous';

/** Metadata key of `@NoFurtherScopes()`. @internal */
export const NO_FURTHER_SCOPES = 'nestjs-mcp-auth:no-further-scopes';

/** Metadata key of `@ProtectedResource()`. @internal */
export const PROTECTED_RESOURCE = 'nestjs-mcp-auth:protected-resource';

/** Marks the guard class, so that the audit at bootstrap recognizes it and its subclasses. @internal */
export const IS_BEARER_AUTH_GUARD = 'nestjs-mcp-auth:is-bearer-auth-guard';

/**
 * The page that has a section for each rejection reason. `check-publish.mjs` compares its address with that of the repository.
 *
 * @internal
 */
export const ERROR_PAGE = 'https://github.com/OWNER/nestjs-mcp-auth/blob/main/docs/reference/errors.md';

/** The path of a protected resource's metadata, by RFC 9728 section 3. @internal */
export const PROTECTED_RESOURCE_WELL_KNOWN = '/.well-known/oauth-protected-resource';

/** The path of the metadata of an authorization server without a path, by RFC 8414 section 3. @internal */
export const AUTHORIZATION_SERVER_WELL_KNOWN = '/.well-known/oauth-authorization-server';

/** Injection token of the module's controller classes for its well-known routes. @internal */
export const WELL_KNOWN_CONTROLLERS = Symbol.for('nestjs-mcp-auth:well-known-controllers');

/** The scope that requests refresh tokens: it grants nothing at a resource, so no challenge or metadata has it. @internal */
export const OFFLINE_ACCESS = 'offline_access';

/** Prefix of this package's own issuers; no authorization server has such an issuer, because theirs are URLs. @internal */
export const OWN_ISSUERS = 'urn:nestjs-mcp-auth:';

/** Prefix of a principal's issuer if its verifier names none; the resource follows. @internal */
export const VERIFIER_ISSUERS = `${OWN_ISSUERS}verifier:`;

/** Time limit for one request to an authorization server, in milliseconds. @internal */
export const REQUEST_TIMEOUT_MS = 5_000;

/** Size limit of an authorization server's metadata document, in bytes. @internal */
export const MAX_METADATA_BYTES = 1_048_576;

/** Size limit of a JWK Set, in bytes. @internal */
export const MAX_JWKS_BYTES = 524_288;

/** Maximum number of keys that are read from one JWK Set. @internal */
export const MAX_KEYS = 64;

/** Maximum number of keys tried for one token whose header does not identify one. @internal */
export const MAX_KEY_CANDIDATES = 8;
