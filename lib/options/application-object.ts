/** Whether a value is an object with a method of this name. @internal */
export function hasMethod<Name extends string>(
  value: unknown,
  name: Name,
): value is Record<Name, (...args: unknown[]) => unknown> {
  const isObject = typeof value === 'object' && value !== null;
  return isObject && typeof (value as Record<string, unknown>)[name] === 'function';
}

/**
 * Replaces a member that is an object of the application with a function that calls its method: objects among the options are
 * copied and frozen, and such an object must not change.
 *
 * @internal
 */
export function withObjectKept<T extends Record<string, unknown>>(
  options: T,
  member: string,
  method: string,
): T {
  const object = options[member];
  if (!hasMethod(object, method)) return options;
  return { ...options, [member]: (...args: unknown[]) => object[method]?.(...args) };
}
