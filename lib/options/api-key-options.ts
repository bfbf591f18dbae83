import { withObjectKept } from './application-object.js';
import { Check, CheckOptional } from './check.decorator.js';
import { isHeaderName } from './mutual-tls-options.js';
import { isPrivateIssuer } from './private-issuer.js';
import type { TokenVerifierOption } from './token.verifier.js';
import { isPlainObject, type Problem } from './value-rules.js';
import { isVerifier } from './verifier-option.js';

/** The header of keys, unless the options name another. */
const DEFAULT_HEADER = 'x-api-key';

/** Headers that mean something else to HTTP, OAuth, MCP, browsers, proxies or tracing. */
const RESERVED: ReadonlySet<string> = new Set([
  ...['authorization', 'proxy-authorization', 'dpop', 'client-cert', 'client-cert-chain', 'cookie'],
  ...['host', 'origin', 'referer', 'user-agent', 'from', 'date', 'expect', 'range', 'accept', 'via'],
  ...['connection', 'keep-alive', 'te', 'trailer', 'transfer-encoding', 'upgrade', 'http2-settings'],
  ...['cache-control', 'pragma', 'priority', 'last-event-id', 'traceparent', 'tracestate', 'baggage'],
  ...['forwarded', 'x-real-ip', 'x-request-id', 'x-http-method-override', 'set-cookie', 'www-authenticate'],
]);

/** Beginnings of such headers. */
const RESERVED_FAMILY = /^(?:mcp|sec|proxy|access-control|accept|content|if|x-forwarded|x-original|x-mcp)-/;

const isApiKeyHeader: Problem = (value) => {
  const problem = isHeaderName(value);
  if (problem !== undefined) return problem;
  const name = (value as string).toLowerCase();
  return RESERVED.has(name) || RESERVED_FAMILY.test(name)
    ? 'must be a header of its own for keys, such as x-api-key: this one has another meaning'
    : undefined;
};

/**
 * API keys of a resource, beside the tokens of its authorization servers. A key is sent in a header of its own, never in
 * `Authorization`.
 *
 * @publicApi
 */
export class ApiKeyOptions {
  /**
   * The name of the header that keys are sent in, in any letter case. Not a header with another meaning, such as `Authorization`,
   * `Cookie`, `DPoP`, `Host`, `Origin` or one that begins with `Mcp-`.
   *
   * @defaultValue 'x-api-key'
   */
  @CheckOptional(isApiKeyHeader) readonly header?: string = DEFAULT_HEADER;

  /**
   * Turns a key into claims, in the same forms as the `verifier` of a resource. `sub` names the owner of the key, or `client_id`
   * the program that uses it. `aud` must name the resource, unless the result has `audienceVerified`. `exp` may be left out: then
   * the key does not expire. `iss` may be left out; another one than `issuer` rejects the key.
   *
   * It gets keys only, of 1 to `maxTokenLength` characters, printable ASCII without space and comma.
   */
  @Check(isVerifier) readonly verifier!: TokenVerifierOption;

  /**
   * The issuer of every caller with a key, such as `urn:example:api-keys`. It keeps the owners of keys apart from the subjects of
   * authorization servers. It must not be the issuer of an authorization server, nor one of `privateIssuers`. Two resources may
   * have the same one, if the same subject is the same owner at both.
   */
  @Check(isPrivateIssuer) readonly issuer!: string;
}

/** Keeps the verifier as it is. @internal */
export function writtenOutApiKeys(given: unknown): unknown {
  return isPlainObject(given) === undefined
    ? withObjectKept({ ...(given as object) }, 'verifier', 'verify')
    : given;
}
