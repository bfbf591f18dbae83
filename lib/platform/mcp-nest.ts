/** The part of @rekog/mcp-nest's handler context that tells which message a handler is called for. */
interface MessageCarrier {
  readonly mcpRequest?: {
    readonly method?: unknown;
    readonly params?: { readonly name?: unknown; readonly uri?: unknown };
  };
}

/**
 * Whether a handler's context is that of a message which asks for this handler. Code that calls another handler within a
 * call may hand on the context of its own.
 *
 * @internal
 */
export function isOfMessage(
  context: unknown,
  { method, name }: { readonly method: string; readonly name: string },
): context is object {
  if (typeof context !== 'object' || context === null) return false;
  const { mcpRequest } = context as MessageCarrier;
  const { name: given, uri } = mcpRequest?.params ?? {};
  return mcpRequest?.method === method && (given ?? uri) === name;
}
