import { hash } from 'node:crypto';
import type { AuthInfo } from '../request/auth-info.decorator.js';
import { personKey, principalKey } from '../request/principal-key.js';
import type { ResponseState } from '../request/response-state.js';
import type { Owner } from './session-owners.js';

/** The owner for all callers without a token. @internal */
export const ANYBODY: Owner = { key: '', sharer: '' };

/**
 * Returns a caller's keys, of fixed length. All clients of one person share; a client without a subject does not.
 *
 * @internal
 */
export function ownerOf(auth: AuthInfo | undefined): Owner {
  if (!auth) return ANYBODY;
  return { key: digest(principalKey(auth)), sharer: digest(personKey(auth)) };
}

/**
 * Adds the caller of a request. Returns whether it is the first, so that the response is not intercepted yet.
 *
 * @internal
 */
export function addCaller(state: ResponseState): boolean {
  const { resource, auth } = state.authorized;
  const isFirst = state.callers === undefined;
  (state.callers ??= new Map()).set(resource.options.resource, auth);
  return isFirst;
}

/** Returns whether a status means that a session was opened, used or ended. @internal */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function digest(text: string): string {
  return hash('sha256', text, 'base64url');
}
