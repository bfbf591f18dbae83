import { McpAuthError } from './mcp-auth.error.js';

/**
 * One problem with the options or with how the application uses the module.
 *
 * @publicApi
 */
export interface ConfigProblem {
  /** The place: an option's path such as `resources[0].resource`, or the name of a class or handler. */
  readonly path: string;
  /** The problem, the value that was found, and what to write instead. */
  readonly message: string;
}

/**
 * The application cannot start with this configuration. Lists every problem found, not only the first.
 *
 * @publicApi
 */
export class McpAuthConfigError extends McpAuthError {
  constructor(
    readonly problems: readonly ConfigProblem[],
    options?: ErrorOptions,
  ) {
    const count = problems.length === 1 ? '1 problem' : `${String(problems.length)} problems`;
    const lines = problems.map(({ path, message }) => `  - ${path}: ${message}`);
    super('ERR_MCP_AUTH_CONFIG', [`McpAuthModule has ${count}:`, ...lines].join('\n'), options);
  }
}
