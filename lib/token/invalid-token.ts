/** Whether an error is the one that verifiers of either version of the MCP SDK throw for an invalid token. @internal */
export function isInvalidToken(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errorCode } = error as { code?: unknown; errorCode?: unknown };
  return code === 'invalid_token' || errorCode === 'invalid_token';
}
