import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { TokenClaims } from '../options/token.verifier.js';
import { hideParameterType } from '../platform/nest-metadata.js';
import { localCallOf } from './local-call.js';
import { RequestContext } from './request-context.js';
import { requestOf } from './request-of.js';

/**
 * The caller of a request: a superset of the MCP SDK's type of the same name, so that `req.auth` is what the
 * SDK expects there. Frozen.
 *
 * @publicApi
 */
export interface AuthInfo {
  /**
   * The access token as presented. Not enumerable: it stays out of JSON, logs and copies. Never send it on to
   * another service.
   */
  readonly token: string;
  /** The client that the token was issued to; empty where the token does not say. */
  readonly clientId: string;
  /** The granted scopes, each once. */
  readonly scopes: string[];
  /**
   * From when on the token is rejected, in seconds since the epoch and without the tolerance for clocks: its `exp`, or the
   * end of its greatest age where that comes first. Absent for an opaque token whose server does not say.
   */
  readonly expiresAt?: number;
  /** The protected resource of this request. */
  readonly resource: URL;
  /** Where that resource's RFC 9728 metadata is. */
  readonly resourceMetadataUrl: string;
  /**
   * The authorization server that issued the token. Of a verifier of the application: the issuer that it names, else
   * `urn:nestjs-mcp-auth:verifier:` and the resource identifier, which is no authorization server's.
   */
  readonly issuer: string;
  /** On whose behalf, unique only together with `issuer`; undefined for a client on its own behalf. */
  readonly subject: string | undefined;
  /**
   * Whether the client acts for itself: the token names no subject, or one that equals `clientId`. False is no proof of
   * a person, as some servers give a client a subject of another form.
   *
   * @see {@link https://www.rfc-editor.org/rfc/rfc9700#section-4.15 | RFC 9700 section 4.15}
   */
  readonly isClientPrincipal: boolean;
  /** The audiences that the token names. */
  readonly audience: readonly string[];
  /** Everything that the token says, verified and otherwise unchecked. */
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
 * Works in HTTP routes and in the MCP handlers of `@rekog/mcp-nest`; over stdio in those that the guard decides on. Undefined
 * where the guard has not admitted the request, whatever `req.auth` holds. Pipes are told no type, so that a `ValidationPipe`
 * with `validateCustomDecorators` leaves it as it is.
 *
 * @publicApi
 */
export const AuthInfo =
  (property?: keyof AuthInfo): ParameterDecorator =>
  (target, method, index) => {
    callerParameter(property)(target, method, index);
    // There is nothing to check: what stands here has been verified, and is frozen.
    if (method !== undefined) hideParameterType(target, method, index);
  };
