import { parseUrl } from '../options/url-rules.js';
import type { ExchangePreset } from './exchange-presets.js';

/** What a downstream token must open. @publicApi */
export interface DownstreamTarget {
  /**
   * The URL of the service, as its own tokens name it: an absolute URL without a fragment (RFC 8707 section 2). With the preset
   * `standard`, either this or `audience` is needed.
   */
  readonly resource?: string;
  /** The name of the service at the authorization server, for servers that do not know `resource`. */
  readonly audience?: string;
  /**
   * The scopes that the token must have. Optional with the preset `standard`: the server then decides. With
   * `entra-on-behalf-of` they name the service too, such as `api://orders/Orders.Read`, and are needed.
   */
  readonly scopes?: readonly string[];
}

/** The parameters of a target. @internal */
export interface CheckedTarget {
  readonly resource: string | undefined;
  readonly audience: string | undefined;
  /** Each once, in the given order. */
  readonly scopes: readonly string[];
}

/** RFC 6749 section 3.3. */
const SCOPE = /^[\x21\x23-\x5B\x5D-\x7E]+$/;

/**
 * Checks a target for the parameters that a preset has.
 *
 * @throws `TypeError`. Its message has no value of the target, which may come from a client
 * @internal
 */
export function checkTarget(target: DownstreamTarget, preset: ExchangePreset): CheckedTarget {
  const { resource, audience, scopes = [] } = target;
  const problem = nameProblem([resource, audience], preset) ?? scopesProblem(scopes, preset);
  if (problem !== undefined) throw new TypeError(`DownstreamTokens.forResource() ${problem}`);
  if (resource !== undefined && (!parseUrl(resource) || resource.includes('#')))
    throw new TypeError(
      'DownstreamTokens.forResource() needs a "resource" that is an absolute URL without a fragment',
    );
  return { resource, audience, scopes: [...new Set(scopes)] };
}

function nameProblem(given: readonly unknown[], { namesTarget }: ExchangePreset): string | undefined {
  const names = given.filter((name) => name !== undefined);
  if (namesTarget && names.length !== 1) return 'needs "resource" or "audience", and not both';
  if (!namesTarget && names.length > 0)
    return 'takes no "resource" and no "audience" with this preset: the scopes name the service';
  return names.every((name) => typeof name === 'string' && name !== '')
    ? undefined
    : 'needs "resource" and "audience" to be non-empty strings';
}

function scopesProblem(scopes: unknown, { namesTarget }: ExchangePreset): string | undefined {
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === 'string' && SCOPE.test(scope)))
    return 'needs "scopes" to be a list of scopes';
  return !namesTarget && scopes.length === 0 ? 'needs "scopes" with this preset' : undefined;
}

/** Returns the same text for targets that mean the same. @internal */
export function targetKey({ resource, audience, scopes }: CheckedTarget): string {
  return JSON.stringify([resource ?? null, audience ?? null, [...scopes].sort()]);
}
