import type { RejectionReason } from '../errors/rejection-reason.js';
import { rejectionReason } from '../errors/rejection-reason.js';
import { AuthorizationServerUnavailableError, MessageRejectedError } from '../errors/rejection.errors.js';
import type { ChallengedResource, RejectionSettings } from './rejection-answers.js';
import type { RejectionAnswer } from './unchallenged-answers.js';

/** The body of a rejection, in the form of RFC 6750 and RFC 6749. @publicApi */
export interface RejectionBody {
  readonly error: string;
  readonly error_description: string;
  /** The option `errorUri`, or its default in development, if the challenge has it too. */
  readonly error_uri?: string;
  /** With `showErrorDetails`: the rule that rejected the request. */
  readonly reason?: RejectionReason;
  /** With `showErrorDetails`, for an outage: the issuer of the unreachable server, or of all that it may be. */
  readonly server?: string;
}

/** The body of a rejection with `errorBody: 'json-rpc'`. @publicApi */
export interface JsonRpcRejectionBody {
  readonly jsonrpc: '2.0';
  /** The id of the request; null if its body is not a single request. */
  readonly id: string | number | null;
  readonly error: {
    /**
     * -32600 if the message itself is wrong, -32020 if headers disagree with it, else the HTTP status. It cannot collide:
     * all reserved codes are negative.
     */
    readonly code: number;
    readonly message: string;
    readonly data: RejectionBody;
  };
}

/** Returns the body of a rejection: a new object each time, as applications may add to it. @internal */
export function rejectionBody(
  { error, description, errorUri }: RejectionAnswer,
  failure: unknown,
  { servers }: ChallengedResource,
  { showErrorDetails }: RejectionSettings,
): RejectionBody {
  const body: { -readonly [Member in keyof RejectionBody]: RejectionBody[Member] } = {
    error,
    error_description: description,
  };
  if (errorUri !== undefined) body.error_uri = errorUri;
  if (!showErrorDetails) return body;
  const reason = rejectionReason(failure);
  if (reason !== undefined) body.reason = reason;
  const server = serverOf(failure, servers);
  if (server !== undefined) body.server = server;
  return body;
}

/** Returns the issuer as configured, never a value that the application's verifier took from a token. */
function serverOf(failure: unknown, servers: ReadonlyMap<string, unknown>): string | undefined {
  if (!(failure instanceof AuthorizationServerUnavailableError)) return undefined;
  const { issuer } = failure;
  const all = [...servers.keys()];
  return all.includes(issuer) || issuer === all.join(', ') ? issuer : undefined;
}

/** @internal */
export function jsonRpcBody(
  id: string | number | null,
  { status, jsonRpcCode = status }: RejectionAnswer,
  data: RejectionBody,
): JsonRpcRejectionBody {
  return { jsonrpc: '2.0', id, error: { code: jsonRpcCode, message: data.error_description, data } };
}

/** Whether a rejection is a JSON-RPC error, and so has the id of the request. @internal */
export function isJsonRpcRejection(
  failure: unknown,
  { errorBody }: Pick<RejectionSettings, 'errorBody'>,
): boolean {
  return errorBody === 'json-rpc' || failure instanceof MessageRejectedError;
}

/**
 * The id to answer to.
 *
 * @param body - the request's body, parsed; undefined where it is not known
 * @returns null unless the body is one JSON-RPC request with a text or a number for an id: not for a batch, a
 * notification or a response
 * @see {@link https://www.jsonrpc.org/specification#response_object | JSON-RPC 2.0 section 5}
 * @internal
 */
export function requestIdOf(body: unknown): string | number | null {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return null;
  const { jsonrpc, method, id } = body as Record<string, unknown>;
  if (jsonrpc !== '2.0' || typeof method !== 'string') return null;
  return typeof id === 'string' || Number.isFinite(id) ? (id as string | number) : null;
}
