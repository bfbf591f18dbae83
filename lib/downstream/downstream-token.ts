/** An access token for another service, in the name of the caller. Frozen. @publicApi */
export interface DownstreamToken {
  /** The token. Not enumerable: JSON, logs and copies do not contain it. Send it only to the service that it is for. */
  readonly accessToken: string;
  /** When it expires. Unit: seconds since the epoch. Undefined if the server does not say it. */
  readonly expiresAt: number | undefined;
  /** The scopes that the server says to have granted; those that were asked for if it says nothing. */
  readonly scopes: readonly string[];
  /** The scheme of the header `Authorization`. */
  readonly tokenType: 'Bearer';
}

/** @internal */
export class IssuedToken implements DownstreamToken {
  // A private member and a getter on the prototype: JSON.stringify, inspect and spread omit the token.
  readonly #accessToken: string;
  readonly tokenType = 'Bearer';

  constructor(
    accessToken: string,
    readonly scopes: readonly string[],
    readonly expiresAt: number | undefined,
  ) {
    this.#accessToken = accessToken;
    Object.freeze(scopes);
    Object.freeze(this);
  }

  get accessToken(): string {
    return this.#accessToken;
  }
}
