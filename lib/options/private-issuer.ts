import { OWN_ISSUERS } from '../mcp-auth.constants.js';
import { isString } from './value-rules.js';

/** An issuer that is no authorization server, such as that of API keys. @internal */
export const isPrivateIssuer = isString((value) =>
  value.startsWith(OWN_ISSUERS) ? `must not begin with "${OWN_ISSUERS}"` : undefined,
);
