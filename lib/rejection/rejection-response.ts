import { answerTo, type ChallengedResource, type RejectionSettings } from './rejection-answers.js';
import {
  type JsonRpcRejectionBody,
  jsonRpcBody,
  type RejectionBody,
  rejectionBody,
} from './rejection-body.js';
import type { TokenScheme } from '../token/extract-token.js';
import type { ToolChallengeBody } from './tool-challenge.js';
import type { RejectionHeaders } from './unchallenged-answers.js';

/** The status, headers and body of a rejection. @internal */
export interface RejectionResponse {
  readonly status: number;
  readonly headers: RejectionHeaders;
  readonly body: RejectionBody | JsonRpcRejectionBody | ToolChallengeBody;
}

/**
 * Returns the response to a rejected request: status, headers and body.
 *
 * @param failure - the error that was thrown
 * @param resource - the resource that the request was for
 * @param settings - the options for rejections
 * @param requestId - the id of the JSON-RPC request; used only in a JSON-RPC body
 * @param scheme - how the token was presented
 * @internal
 */
export function rejectionResponse(
  failure: unknown,
  resource: ChallengedResource,
  settings: RejectionSettings,
  requestId: string | number | null = null,
  scheme?: TokenScheme,
): RejectionResponse {
  const answer = answerTo(failure, resource, settings, scheme);
  const oauth = rejectionBody(answer, failure, resource, settings);
  const isJsonRpc = settings.errorBody === 'json-rpc' || answer.jsonRpcCode !== undefined;
  const body = isJsonRpc ? jsonRpcBody(requestId, answer, oauth) : oauth;
  return { status: answer.status, headers: answer.headers, body };
}
