import { type RejectionReason, rejectionReason } from '../errors/rejection-reason.js';
import type { ProtectedResource } from '../resource/protected-resource.registry.js';
import type { TokenCheck, TokenCheckName } from './token-explanation.interface.js';

/** Longest text of a value. */
const MAX_LENGTH = 200;

/** What a check expects and finds. @internal */
export interface CheckTexts {
  readonly expected: string;
  readonly found: string;
}

/** A check that has come to a result. @internal */
export function passed(name: TokenCheckName, { expected, found }: CheckTexts): TokenCheck {
  return { name, outcome: 'passed', reason: undefined, expected, found };
}

/** @param failure - what the request would be rejected with @internal */
export function failed(name: TokenCheckName, failure: unknown, { expected, found }: CheckTexts): TokenCheck {
  return { name, outcome: 'failed', reason: reasonOf(failure), expected, found };
}

/** @param why - in place of what the token has @internal */
export function unknown(name: TokenCheckName, expected: string, why: string): TokenCheck {
  return { name, outcome: 'unknown', reason: undefined, expected, found: why };
}

/** @internal */
export function notReached(name: TokenCheckName): TokenCheck {
  return { name, outcome: 'not_reached', reason: undefined, expected: undefined, found: undefined };
}

/** Runs a check as a request does, which throws if it fails. @internal */
export function checked(name: TokenCheckName, assert: () => unknown, texts: CheckTexts): TokenCheck {
  const failure = failureOf(assert);
  return failure === undefined ? passed(name, texts) : failed(name, failure, texts);
}

/** Returns what a function throws; undefined if it does not. @internal */
export function failureOf(assert: () => unknown): unknown {
  try {
    assert();
    return undefined;
  } catch (error) {
    return error ?? new Error('nothing');
  }
}

/** Returns the reason that events have. An error of the application counts as its fault. @internal */
export function reasonOf(failure: unknown): RejectionReason {
  return rejectionReason(failure) ?? 'fault';
}

/** Returns a value as JSON, cut at 200 characters. @internal */
export function show(value: unknown): string {
  if (value === undefined) return 'none';
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch {
    text = undefined; // a value of a verifier of the application, such as a bigint
  }
  if (text === undefined) return `a value of type ${typeof value}`;
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text;
}

/** Returns the issuers whose tokens a resource accepts, as text. @internal */
export function issuersOf(
  { servers, resolvedServers }: ProtectedResource,
  others: readonly string[] = [],
): string {
  const issuers = list([...servers.keys(), ...others]);
  return resolvedServers ? `${issuers}, or one that authorizationServerResolver knows` : issuers;
}

/** Returns values as a list of words, cut at 200 characters. @internal */
export function list(values: readonly string[]): string {
  const text = values.join(', ');
  return text.length > MAX_LENGTH ? `${text.slice(0, MAX_LENGTH)}…` : text || 'none';
}
