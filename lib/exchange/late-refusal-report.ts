import { type AuthInfo } from '../auth-info/auth-info.decorator.js';

/** A request that was let in, and refused by its handler. @internal */
export interface LateRefusal {
  readonly failure: unknown;
  /** The status of the answer. */
  readonly status: number;
  /** The resource's identifier. */
  readonly resource: string;
  readonly auth: AuthInfo | undefined;
  readonly request: object;
}

/** Tells of requests that their handlers refuse, as of all others that are refused. @internal */
export abstract class LateRefusalReport {
  abstract refused(refusal: LateRefusal): void;
}
