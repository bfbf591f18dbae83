import { isListOf, isString, type Problem } from './value-rules.js';

/**
 * The methods with which MCP clients connect to a server and list what it offers; for the option `anonymousMethods`. None of
 * them runs a handler of the application.
 *
 * @see {@link https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle | MCP 2025-11-25, lifecycle}
 * @publicApi
 */
export const LIFECYCLE_METHODS: readonly string[] = Object.freeze([
  'initialize',
  'notifications/initialized',
  'notifications/cancelled',
  'server/discover',
  'ping',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
]);

/** The methods that run a handler, subscribe to its data, or request its results. In lower case. */
const OF_HANDLERS: ReadonlySet<string> = new Set([
  'tools/call',
  'prompts/get',
  'resources/read',
  'resources/subscribe',
  'subscriptions/listen',
  'completion/complete',
]);

const METHOD = /^[a-z][\w.-]*(?:\/[\w.-]+)*$/i;

/**
 * Rejects methods that run handlers, in any letter case: a lenient server may ignore the case.
 *
 * @internal
 */
export const isAnonymousMethods: Problem = isListOf(
  isString((method) => {
    if (!METHOD.test(method)) return 'must be the name of a JSON-RPC method';
    const name = method.toLowerCase();
    return OF_HANDLERS.has(name) || name.startsWith('tasks/')
      ? `must not be a method that runs handlers; put @AllowAnonymous() on the handlers instead of "${method}"`
      : undefined;
  }),
  { nonEmpty: false },
);
