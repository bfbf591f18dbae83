import { answerTo, type ChallengedResource, type RejectionSettings } from './rejection-answers.js';
import {
  type JsonRpcRejectionBody,
  jsonRpcBody,
  type RejectionBody,
  rejectionBody,
} from './rejection-body.js';

/** A rejection as it goes over the wire. @internal */
export interface RejectionResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RejectionBody | JsonRpcRejectionBody;
}

/**
 * What a request is answered with that was not let in: status, headers and body.
 *
 * @param failure - the decision: what was thrown
 * @param resource - the resource that the request was for
 * @param settings - what the options say of rejections
 * @param requestId - the id of the JSON-RPC request; goes into a JSON-RPC body and nowhere else
 * @internal
 */
export function rejectionResponse(
  failure: unknown,
  resource: ChallengedResource,
  settings: RejectionSettings,
  requestId: string | number | null = null,
): RejectionResponse {
  const answer = answerTo(failure, resource, settings);
  const oauth = rejectionBody(answer, failure, resource, settings);
  const isJsonRpc = settings.errorBody === 'json-rpc' || answer.jsonRpcCode !== undefined;
  const body = isJsonRpc ? jsonRpcBody(requestId, answer, oauth) : oauth;
  return { status: answer.status, headers: answer.headers, body };
}
