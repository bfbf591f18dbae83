import { McpAuthError } from './mcp-auth.error.js';

/**
 * One thing that is wrong with the options or with how the application uses the module.
 *
 * @publicApi
 */
export interface ConfigProblem {
  /** Where: an option's path such as `resources[0].resource`, or the name of a class or handler. */
  readonly path: string;
  /** What is wrong, with what was found, and what to write instead. */
  readonly message: string;
}

/**
 * The application cannot start as it is configured. Lists every problem found, not only the first.
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
