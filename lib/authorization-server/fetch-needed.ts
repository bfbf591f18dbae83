/**
 * Thrown if something can be decided only after a request to the authorization server, and none may be sent. The message names
 * no token.
 *
 * @internal
 */
export class FetchNeeded extends Error {}
