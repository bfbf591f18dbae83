/** One HTTP exchange. */
export interface Step {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  /** The request's body, empty where there is none. */
  readonly body: string;
  /** The response's `WWW-Authenticate`, empty where there is none. */
  readonly challenge: string;
}
