import { urlProblem } from './url-rules.js';

/**
 * Returns what is wrong with a value for a challenge, or undefined if it is valid.
 *
 * Clients in use find a parameter at the first place of its name and "=", even inside another value: a scope
 * `resource_metadata=https://evil.example/` would send them there.
 *
 * @internal
 */
export function challengeTextProblem(value: string): string | undefined {
  const [name] = /(error|scope|resource_metadata|acr_values|max_age)=/.exec(value) ?? [];
  return name === undefined
    ? undefined
    : `has "${name}", which clients take for a parameter of the challenge; write it otherwise`;
}

/**
 * Returns what is wrong with an `errorUri`, or undefined if it is valid: an https URL, also on loopback, because people open
 * it from elsewhere.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 | RFC 6750 section 3}
 * @internal
 */
export function errorUriProblem(value: string): string | undefined {
  const problem = urlProblem(value) ?? challengeTextProblem(value);
  if (problem !== undefined) return problem;
  return /^https:/i.test(value) ? undefined : 'must be https';
}
