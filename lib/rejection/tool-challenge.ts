import {
  CredentialsRejectedError,
  InsufficientAuthenticationError,
  InsufficientScopeError,
} from '../errors/rejection.errors.js';
import type { ToolChallengeForm, ToolChallengeRequest } from '../options/tool-challenge-options.js';
import type { ResolvedMcpAuthOptions } from '../options/resolved-options.interface.js';
import { answerTo, type ChallengedResource, type RejectionSettings } from './rejection-answers.js';
import { errorUriOf } from './error-uri.js';
import { requestIdOf } from './rejection-body.js';
import type { RejectionResponse } from './rejection-response.js';
import { NO_STORE } from './unchallenged-answers.js';
import { bearerChallenge, soundScopes } from './www-authenticate.js';

/** The body of a tool call that is answered with a challenge in its result. @publicApi */
export interface ToolChallengeBody {
  readonly jsonrpc: '2.0';
  /** The id of the call. */
  readonly id: string | number;
  readonly result: {
    /** The kind of result, which MCP 2026-07-28 requires. Earlier versions ignore it. */
    readonly resultType: 'complete';
    readonly isError: true;
    /** What the model reads. */
    readonly content: readonly [{ readonly type: 'text'; readonly text: string }];
    readonly _meta: {
      /** The challenge, as `WWW-Authenticate` would have it, with `error` and `error_description`. */
      readonly 'mcp/www_authenticate': readonly [string];
    };
  };
}

/** The failures that a client can do something about, by asking for another token. */
type Challenged = CredentialsRejectedError | InsufficientScopeError | InsufficientAuthenticationError;

/** A tool call that may be answered with a result. @internal */
export interface ChallengedCall {
  readonly failure: Challenged;
  readonly id: string | number;
  readonly tool: string;
}

/** A request, as far as it decides on the form of its answer. */
interface CallingRequest {
  readonly headers?: Readonly<Record<string, string | string[] | undefined>>;
}

const SIGN_IN = 'This tool needs a signed-in user. Ask the user to sign in, then call it again.';
const MORE_SCOPES =
  'This tool needs permissions that the user has not granted. Ask the user to grant them, then call it again.';
const NEW_AUTHENTICATION =
  'This tool needs a stronger or more recent sign-in. Ask the user to sign in again, then call it again.';

/** A media range of `Accept`, in any letter case and with any parameters. */
const ACCEPTS_JSON = /(?:^|,)\s*application\/json\s*(?:[;,]|$)/i;

/**
 * Returns the tool call that a failure may be answered with a result for; undefined if it must be answered by HTTP.
 *
 * The transport of MCP 2024-11-05 sends the answer to a call on another stream, so its clients do not read the answer to the
 * request. Streamable HTTP requires clients to accept JSON, and those do not say so.
 *
 * @param body - the parsed body; read only if the failure is one of these
 * @see {@link https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http | MCP, Streamable HTTP}
 * @internal
 */
export function challengedCall(
  failure: unknown,
  request: CallingRequest | undefined,
  body: () => unknown,
): ChallengedCall | undefined {
  if (!isChallenged(failure) || !ACCEPTS_JSON.test(String(request?.headers?.['accept']))) return undefined;
  const message = body();
  const id = requestIdOf(message);
  if (id === null) return undefined;
  const { method, params } = message as { method: unknown; params?: { name?: unknown } | null };
  const tool = params?.name;
  return method === 'tools/call' && typeof tool === 'string' ? { failure, id, tool } : undefined;
}

/** What the option `toolChallenge` chose for a call, or what the function in it threw. @internal */
export function chosenForm(
  toolChallenge: ResolvedMcpAuthOptions['toolChallenge'],
  request: ToolChallengeRequest,
): ToolChallengeForm | Error {
  if (typeof toolChallenge !== 'function') return toolChallenge;
  try {
    const form: unknown = toolChallenge(request);
    if (form === 'http' || form === 'result') return form;
    // Nothing waits for it, so its rejection would end the process.
    if (form instanceof Promise) form.catch(() => undefined);
    return new TypeError(`it returned a value of type ${typeof form} that is neither "http" nor "result"`);
  } catch (error) {
    return error instanceof Error ? error : new Error('it threw something that is no Error');
  }
}

/**
 * Answers a tool call with a challenge in its result, in the form that ChatGPT reads.
 *
 * @see {@link https://developers.openai.com/plugins/build/auth | OpenAI, Authentication: triggering authentication UI}
 * @internal
 */
export function toolChallengeResponse(
  { failure, id }: ChallengedCall,
  resource: ChallengedResource,
  settings: RejectionSettings,
): RejectionResponse {
  const body: ToolChallengeBody = {
    jsonrpc: '2.0',
    id,
    result: {
      resultType: 'complete',
      isError: true,
      content: [{ type: 'text', text: textOf(failure) }],
      _meta: { 'mcp/www_authenticate': [challengeOf(failure, resource, settings)] },
    },
  };
  return { status: 200, headers: NO_STORE, body };
}

function textOf(failure: Challenged): string {
  if (failure instanceof CredentialsRejectedError) return SIGN_IN;
  return failure instanceof InsufficientScopeError ? MORE_SCOPES : NEW_AUTHENTICATION;
}

/**
 * Returns the challenge, always with an `error`: OpenAI requires it. It is that of the 403 for missing scopes, and
 * that of the 401 for weak authentication. RFC 6750 has no error for a missing token, so it gets the one of OpenAI's example.
 */
function challengeOf(failure: Challenged, resource: ChallengedResource, settings: RejectionSettings): string {
  if (!(failure instanceof CredentialsRejectedError)) {
    const { 'WWW-Authenticate': challenges } = answerTo(failure, resource, settings).headers;
    // That of Bearer comes first.
    return [challenges].flat()[0] as string;
  }
  return bearerChallenge({
    error: 'insufficient_scope',
    scopes: failure.scopes.length > 0 ? soundScopes(failure.scopes) : resource.challengeScopes,
    resourceMetadata: resource.metadataUrl,
    description: 'Sign in to use this tool',
    errorUri: errorUriOf(failure, settings),
  });
}

function isChallenged(failure: unknown): failure is Challenged {
  return (
    failure instanceof InsufficientScopeError ||
    failure instanceof InsufficientAuthenticationError ||
    (failure instanceof CredentialsRejectedError && failure.reason === 'missing_token')
  );
}
