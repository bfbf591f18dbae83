import type { ResolvedTokenExchangeOptions } from '../options/trusted-authorization-server.interface.js';

/** What the requests and answers of an authorization server look like. @internal */
export interface ExchangePreset {
  readonly grantType: string;
  /** The parameter that has the caller's token. */
  readonly tokenParameter: string;
  /** Parameters of every request. No `actor_token`: the client of the request is the actor. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Whether `resource` or `audience` names the service. Otherwise the scopes do. */
  readonly namesTarget: boolean;
  /** Whether an answer must have `issued_token_type`. */
  readonly saysTokenType: boolean;
  /** Values of the member `suberror` that say more than the error code. */
  readonly suberrors: readonly string[];
}

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** The token type that an answer must name, if it names one. @internal */
export const ISSUED_TOKEN_TYPE = ACCESS_TOKEN;

/**
 * The presets, by the option `preset`.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2.1 | RFC 8693 section 2.1}
 * @see {@link https://learn.microsoft.com/entra/identity-platform/v2-oauth2-on-behalf-of-flow | Microsoft, on-behalf-of flow}
 * @internal
 */
export const EXCHANGE_PRESETS: Readonly<Record<ResolvedTokenExchangeOptions['preset'], ExchangePreset>> = {
  standard: {
    grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
    tokenParameter: 'subject_token',
    parameters: { subject_token_type: ACCESS_TOKEN, requested_token_type: ACCESS_TOKEN },
    namesTarget: true,
    saysTokenType: true,
    suberrors: [],
  },
  'entra-on-behalf-of': {
    grantType: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    tokenParameter: 'assertion',
    parameters: { requested_token_use: 'on_behalf_of' },
    namesTarget: false,
    saysTokenType: false,
    suberrors: ['consent_required'],
  },
};
