import { hasMethod } from './application-object.js';
import type { Problem } from './value-rules.js';

/** The shape of TokenVerifierOption. @internal */
export const isVerifier: Problem = (value) =>
  typeof value === 'function' || hasMethod(value, 'verify')
    ? undefined
    : 'must be a class or an object with a method "verify", or a function';
