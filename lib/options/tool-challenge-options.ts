/** The form of the answer to a tool call that lacks a token or scopes. @publicApi */
export type ToolChallengeForm = 'http' | 'result';

/** What a function in {@link McpAuthModuleOptions.toolChallenge} gets: a description of the call, without its token. @publicApi */
export interface ToolChallengeRequest {
  /** The protected resource, as configured. */
  readonly resource: string;
  /** The name of the called tool, as sent. */
  readonly tool: string;
  /** The client of the verified token. Empty if the token names none; undefined without a token. */
  readonly clientId: string | undefined;
  /** The request's `User-Agent`. Any client can send any value. */
  readonly userAgent: string | undefined;
}
