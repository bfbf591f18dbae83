import type { Type } from '@nestjs/common';
import { hasMethod } from './application-object.js';
import type { AuthorizationServerOptions } from './authorization-server-options.js';
import type { Problem } from './value-rules.js';

/** What a resolver knows of an issuer: the options of its authorization server, or nothing if it is not trusted. @publicApi */
export type ResolvedIssuer = AuthorizationServerOptions | null | undefined;

/**
 * Knows the authorization servers that an application does not know when it starts, such as those of its customers.
 *
 * @publicApi
 */
export abstract class AuthorizationServerResolver {
  /**
   * Returns the options of the authorization server of an issuer, if the resource trusts it.
   *
   * The issuer is what a token says that is **not verified yet**: anyone can send any. It has the form of an issuer (https, or
   * http on loopback; no query and no fragment; at most 512 characters) and is none of `authorizationServers`. Compare it with
   * what you have stored, exactly. Do not derive a host or a path from it, and do not accept patterns such as every host of a
   * domain: the package fetches documents from the issuer that you return.
   *
   * The answer is remembered: 10 minutes if there is a server, 1 minute if there is none. Calls for one issuer share one answer.
   * It may run outside any request, because several requests may wait for it.
   *
   * Not checked: whether the issuer belongs to the caller's tenant. The issuer is in `AuthInfo.issuer`: a subject is unique only
   * together with it.
   *
   * @param issuer - exactly as in the token
   * @param resource - the resource that the token was sent to, as configured
   * @returns options with exactly this `issuer`, or `metadata` that names it; undefined or null for an issuer that is not trusted.
   * Functions among the options must be the same with each call, else the server counts as another and is discovered again
   * @throws if it cannot tell now. The answer is then 503, as it is after `verifierTimeoutMs`
   */
  abstract resolve(issuer: string, resource: string): ResolvedIssuer | Promise<ResolvedIssuer>;
}

/** {@link AuthorizationServerResolver.resolve} as a function. @publicApi */
export type ResolveAuthorizationServer = AuthorizationServerResolver['resolve'];

/** A class that resolves issuers, a provider of the application. @publicApi */
export type AuthorizationServerResolverClass = Type<AuthorizationServerResolver>;

/**
 * A resolver as an option: a class among the providers of any module, in the default scope; an object; or a function. A class
 * is looked up when the application starts.
 *
 * @publicApi
 */
export type AuthorizationServerResolverOption =
  AuthorizationServerResolverClass | AuthorizationServerResolver | ResolveAuthorizationServer;

/** The shape of AuthorizationServerResolverOption. @internal */
export const isResolver: Problem = (value) =>
  typeof value === 'function' || hasMethod(value, 'resolve')
    ? undefined
    : 'must be a class or an object with a method "resolve", or a function';
