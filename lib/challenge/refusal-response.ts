import { answerTo, type ChallengedResource, type RefusalSettings } from './refusal-answers.js';
import { type JsonRpcRefusalBody, jsonRpcBody, type RefusalBody, refusalBody } from './refusal-body.js';

/** A refusal as it goes over the wire. @internal */
export interface RefusalResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RefusalBody | JsonRpcRefusalBody;
}

/**
 * What a request is answered with that was not let in: status, headers and body.
 *
 * @param failure - the decision: what was thrown
 * @param resource - the resource that the request was for
 * @param settings - what the options say of refusals
 * @param requestId - the id of the JSON-RPC request; goes into a JSON-RPC body and nowhere else
 * @internal
 */
export function refusalResponse(
  failure: unknown,
  resource: ChallengedResource,
  settings: RefusalSettings,
  requestId: string | number | null = null,
): RefusalResponse {
  const answer = answerTo(failure, resource, settings);
  const oauth = refusalBody(answer, failure, resource, settings);
  const isJsonRpc = settings.errorBody === 'json-rpc' || answer.jsonRpcCode !== undefined;
  const body = isJsonRpc ? jsonRpcBody(requestId, answer, oauth) : oauth;
  return { status: answer.status, headers: answer.headers, body };
}
