const TEST_ENVIRONMENTS: readonly (string | undefined)[] = ['test', 'development'];

/**
 * Returns why a test double must not start here, or undefined if it may.
 *
 * It may if `NODE_ENV` is exactly `test` or `development`. With another or no value, others may be able to reach the server.
 *
 * @param option - the option that allows it everywhere, for the message
 * @internal
 */
export function environmentProblem(option: string): string | undefined {
  const environment = process.env['NODE_ENV'];
  if (TEST_ENVIRONMENTS.includes(environment)) return undefined;
  const found = environment === undefined ? 'is not set' : `is ${JSON.stringify(environment)}`;
  return `starts only with NODE_ENV "test" or "development", unless "${option}" is true; NODE_ENV ${found}`;
}
