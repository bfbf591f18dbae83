/**
 * The names of the sets that `npm run test:nest` runs: all, except one that `npm test` has run already, because it has
 * the versions of the lock file and the major version of Node that runs.
 *
 * @param {Record<string, { node: string, nest: Record<string, string> }>} sets - by name, as in nest-sets.json
 * @param {string} runningNode - the version of Node that runs, without a "v"
 */
export function setsToRun(sets, runningNode) {
  const isTested = ({ node, nest }) =>
    Object.keys(nest).length === 0 && node.split('.')[0] === runningNode.split('.')[0];
  return Object.keys(sets).filter((name) => !isTested(sets[name]));
}
