import { rejectionReason } from '../errors/rejection-reason.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';

/**
 * Returns the page for people about a failure: that of the option `errorUri`, or in development the section about its reason.
 *
 * @internal
 */
export function errorUriOf(
  failure: unknown,
  { errorUri, errorPage }: Pick<ResolvedMcpAuthOptions, 'errorUri' | 'errorPage'>,
): string | undefined {
  if (errorUri !== undefined || errorPage === undefined) return errorUri;
  const reason = rejectionReason(failure);
  return reason === undefined ? errorPage : `${errorPage}#${reason}`;
}
