import type { ToolChallengeForm, ToolChallengeRequest } from './tool-challenge-options.js';

/** Where ChatGPT and Codex publish their client ID metadata documents, which are the `client_id` of their tokens. */
const CLIENT_IDS = 'https://chatgpt.com/oauth/';

/** The first product of the `User-Agent`: of ChatGPT and the Responses API, and of Codex. */
const USER_AGENT = /^(?:openai-mcp|codex-mcp-client)\//;

/**
 * Returns `result` for a call of ChatGPT or Codex, else `http`: a value for the option `toolChallenge`.
 *
 * It recognizes the client by its token, whose client id begins with `https://chatgpt.com/oauth/`. Without a token, or if
 * the client has registered itself, it recognizes the `User-Agent`: `openai-mcp/…` or `codex-mcp-client/…`.
 *
 * OpenAI documents the client ids, but not the `User-Agent`, which servers have observed and which may change. A proxy that
 * replaces the header hides the client. Any client can send this header: it then gets the same challenge in another form.
 * So the function must not control access.
 *
 * @see {@link https://developers.openai.com/plugins/build/auth | OpenAI, Authentication: client registration}
 * @publicApi
 */
export function toolChallengeForOpenAi({
  clientId = '',
  userAgent = '',
}: Pick<ToolChallengeRequest, 'clientId' | 'userAgent'>): ToolChallengeForm {
  return clientId.startsWith(CLIENT_IDS) || USER_AGENT.test(userAgent) ? 'result' : 'http';
}
