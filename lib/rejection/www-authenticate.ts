import { isScopeToken } from '../options/value-rules.js';
import { OFFLINE_ACCESS } from '../mcp-auth.constants.js';

/** The parameters of a Bearer challenge. @internal */
export interface BearerChallenge {
  readonly error?: string;
  /** `offline_access` is left out: clients request it by themselves. */
  readonly scopes?: readonly string[];
  readonly resourceMetadata: string;
  /** In preference order. */
  readonly acrValues?: readonly string[] | undefined;
  readonly maxAgeSeconds?: number | undefined;
  readonly description?: string;
  readonly errorUri?: string | undefined;
}

/**
 * Writes a Bearer challenge: `error`, `scope`, `resource_metadata`, `acr_values`, `max_age`, `error_description`, `error_uri`,
 * in this order and quoted. Existing clients find a parameter by the first occurrence of its name, so free text comes last.
 *
 * All values come from constants and from the configuration, which is validated at bootstrap. So no escaping is needed.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 | RFC 6750 section 3}
 * @see {@link https://www.rfc-editor.org/rfc/rfc9470#section-3 | RFC 9470 section 3}
 * @internal
 */
export function bearerChallenge({
  error,
  scopes = [],
  resourceMetadata,
  acrValues = [],
  maxAgeSeconds,
  description,
  errorUri,
}: BearerChallenge): string {
  const scope = scopes.filter((each) => each !== OFFLINE_ACCESS).join(' ');
  const parameters = [
    error !== undefined && `error="${error}"`,
    scope !== '' && `scope="${scope}"`,
    `resource_metadata="${resourceMetadata}"`,
    acrValues.length > 0 && `acr_values="${acrValues.join(' ')}"`,
    maxAgeSeconds !== undefined && `max_age="${String(maxAgeSeconds)}"`,
    description !== undefined && `error_description="${description}"`,
    errorUri !== undefined && `error_uri="${errorUri}"`,
  ];
  return `Bearer ${parameters.filter((parameter) => parameter !== false).join(', ')}`;
}

/** Removes invalid scopes: a handler or verifier of the application may name any text. @internal */
export function soundScopes(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => isScopeToken(scope) === undefined);
}

/** The parameters of a DPoP challenge. @internal */
export interface DpopChallenge {
  readonly error?: string;
  readonly description?: string;
  readonly errorUri?: string | undefined;
  /** The algorithms that proofs may be signed with. */
  readonly algorithms: readonly string[];
}

/**
 * Writes a DPoP challenge: `error`, `error_description`, `error_uri` and `algs`. It follows the Bearer challenge in a line of its own and
 * repeats at most its `error`: many clients read both as one text.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-7.1 | RFC 9449 section 7.1}
 * @internal
 */
export function dpopChallenge({ error, description, errorUri, algorithms }: DpopChallenge): string {
  const parameters = [
    error !== undefined && `error="${error}"`,
    description !== undefined && `error_description="${description}"`,
    errorUri !== undefined && `error_uri="${errorUri}"`,
    `algs="${algorithms.join(' ')}"`,
  ];
  return `DPoP ${parameters.filter((parameter) => parameter !== false).join(', ')}`;
}
