import { isListOf, isPlainObject, isScopeToken, type Problem } from './value-rules.js';

/** Which scopes each scope includes, as written in the options. */
type Hierarchy = Readonly<Record<string, readonly string[]>>;

const isScopes = isListOf(isScopeToken, { nonEmpty: false });

/** Checks the option `scopeHierarchy`. @internal */
export const isScopeHierarchy: Problem = (value) => {
  const problem = isPlainObject(value);
  if (problem !== undefined) return problem;
  for (const [broader, narrower] of Object.entries(value as Record<string, unknown>)) {
    if (!Array.isArray(narrower)) return `${JSON.stringify(broader)} must be a list of scopes`;
    const wrong = isScopeToken(broader) ?? isScopes(narrower);
    if (wrong !== undefined) return `${JSON.stringify(broader)} ${wrong}`;
  }
  const cycle = [...closure(value as Hierarchy)].find(([broader, included]) => included.includes(broader));
  return cycle && `has a circle: "${cycle[0]}" includes itself; leave one of its steps out`;
};

/** Returns all scopes that each scope includes, directly or by another. @internal */
export function closure(hierarchy: Hierarchy): ReadonlyMap<string, readonly string[]> {
  const steps = new Map(Object.entries(hierarchy));
  return new Map(
    [...steps.keys()].map((broader) => {
      const included = new Set<string>();
      const pending = [...(steps.get(broader) ?? [])];
      for (const scope of pending) {
        if (included.has(scope)) continue;
        included.add(scope);
        pending.push(...(steps.get(scope) ?? []));
      }
      return [broader, [...included]];
    }),
  );
}
