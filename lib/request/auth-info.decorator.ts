import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { TokenClaims } from '../options/token.verifier.js';
import { hideParameterType } from '../platform/nest-metadata.js';
import type { TokenActor } from '../policy/token-actor.js';
import { localCallOf } from './local-call.js';
import { RequestContext } from './request-context.js';
import { requestOf } from './request-of.js';

/**
 * The caller of a request: a superset of the MCP SDK's type of the same name, so `req.auth` has the type that the SDK expects.
 * Frozen.
 *
 * @publicApi
 */
export interface AuthInfo {
  /**
   * The access token as presented. Not enumerable: JSON, logs and copies do not contain it. Never send it to another service:
   * `DownstreamTokens` exchanges it. Empty for a caller with an API key.
   */
  readonly token: string;
  /** The client that the token was issued to; empty if the token does not name one. */
  readonly clientId: string;
  /** The granted scopes, each once. */
  readonly scopes: string[];
  /**
   * The time from which the token is rejected. Unit: seconds since the epoch, without the clock tolerance. It is the token's
   * `exp`, or the end of its maximum age if that is earlier. Absent for an opaque token whose server does not report it.
   */
  readonly expiresAt?: number;
  /** The protected resource of this request. */
  readonly resource: URL;
  /** The tenant in the path of the request, if the resource has `tenants`; undefined otherwise. */
  readonly tenant: string | undefined;
  /** The URL of that resource's RFC 9728 metadata. */
  readonly resourceMetadataUrl: string;
  /**
   * The authorization server that issued the token. With a verifier of the application: the issuer that it names, else
   * `urn:nestjs-mcp-auth:verifier:` and the resource identifier, which never is an authorization server's issuer. With an API key:
   * the `issuer` of the option `apiKeys`.
   */
  readonly issuer: string;
  /** The subject of the token, unique only together with `issuer`; undefined for a client on its own behalf. */
  readonly subject: string | undefined;
  /**
   * Whether the client acts for itself: the token names no subject, or one that equals `clientId`. False does not prove a
   * person, because some servers give a client a subject of another form.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.15 | RFC 9700 section 4.15}
   */
  readonly isClientPrincipal: boolean;
  /**
   * Who acts for the subject: the claim `act` of the token. Undefined if the token names no actor, so the client of the token
   * acts itself.
   */
  readonly actor: TokenActor | undefined;
  /** The audiences that the token names. */
  readonly audience: readonly string[];
  /**
   * What the sender proved to have: the key that the token is bound to (`jkt`, by DPoP), or the TLS certificate (`x5t#S256`).
   * `jkt` if it is both. Undefined for a bearer token, which anyone may send who has it.
   */
  readonly binding: 'jkt' | 'x5t#S256' | undefined;
  /** All claims of the token, verified and otherwise unchecked. */
  readonly claims: TokenClaims;
}

const callerParameter = createParamDecorator(
  (property: keyof AuthInfo | undefined, context: ExecutionContext) => {
    const request = requestOf(context) ?? localCallOf(context)?.carrier;
    const auth = RequestContext.find(request)?.authentication?.auth;
    return property === undefined ? auth : auth?.[property];
  },
);

/**
 * The caller of this request, or one property of it: `@AuthInfo() auth: AuthInfo`, `@AuthInfo('subject')`.
 *
 * Works in HTTP routes and in the MCP handlers of `@rekog/mcp-nest`; over stdio in handlers that the guard covers. Undefined
 * if the guard has not authenticated the request, whatever `req.auth` contains. Pipes get no type, so a `ValidationPipe` with
 * `validateCustomDecorators` does not change it.
 *
 * @publicApi
 */
export const AuthInfo =
  (property?: keyof AuthInfo): ParameterDecorator =>
  (target, method, index) => {
    callerParameter(property)(target, method, index);
    // Nothing needs validation: the value has been verified, and is frozen.
    if (method !== undefined) hideParameterType(target, method, index);
  };
