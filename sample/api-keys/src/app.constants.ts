/** The issuer of callers with a key. It keeps them apart from the subjects of the authorization server. */
export const KEYS_ISSUER = 'urn:example:notes:api-keys';
