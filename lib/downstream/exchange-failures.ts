import { DownstreamTokenError } from '../errors/downstream-token.error.js';

/** The authorization server cannot answer at the moment. @internal */
export class ExchangeOutage extends Error {}

/**
 * Returns the error for an answer that cannot be used.
 *
 * @param how - completes the sentence, without anything of the answer
 * @internal
 */
export function answeredWrongly(issuer: string, how: string): DownstreamTokenError {
  return new DownstreamTokenError('invalid_answer', `${issuer} answered the token exchange ${how}`);
}

/** @param oauthError - undefined if the server sent no well-formed code @internal */
export function rejectedBy(issuer: string, oauthError: string | undefined): DownstreamTokenError {
  const why = oauthError ?? 'it names no error code of OAuth';
  return new DownstreamTokenError('rejected', `${issuer} rejected the token exchange: ${why}`, oauthError);
}
