import { urlProblem } from './url-rules.js';

/**
 * Says what is wrong with a value that stands in a challenge, or undefined when it is right.
 *
 * The clients in use find a parameter by the first place where its name and "=" occur, be it within another value:
 * a scope `resource_metadata=https://evil.example/` would send them there.
 *
 * @internal
 */
export function challengeTextProblem(value: string): string | undefined {
  const [name] = /(error|scope|resource_metadata)=/.exec(value) ?? [];
  return name === undefined
    ? undefined
    : `has "${name}", which clients take for a parameter of the challenge; write it otherwise`;
}

/**
 * Says what is wrong with an `errorUri`, or undefined when it is right: an https URL, on loopback too, since people
 * follow it from elsewhere.
 *
 * @see {@link https://www.rfc-editor.org/rfc/rfc6750#section-3 | RFC 6750 section 3}
 * @internal
 */
export function errorUriProblem(value: string): string | undefined {
  const problem = urlProblem(value) ?? challengeTextProblem(value);
  if (problem !== undefined) return problem;
  return /^https:/i.test(value) ? undefined : 'must be https';
}
