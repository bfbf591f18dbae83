import { hash, randomUUID } from 'node:crypto';

/** The names of functions and stores, by which they are the same or not. */
const names = new WeakMap<object, string>();

/**
 * Returns a text that is equal for equal data. Functions and stores in it are equal only if they are the same. Members that are not
 * enumerable are left out. It is a hash, so it discloses no secret.
 *
 * @throws an error for what is no data, such as an object that contains itself
 * @internal
 */
export function dataIdentity(data: unknown): string {
  return hash('sha256', JSON.stringify([data], named), 'base64url');
}

function named(_: string, value: unknown): unknown {
  if (value instanceof RegExp) return String(value);
  return typeof value === 'function' ? nameOf(value) : storeName(value);
}

/** A store is told by its method, because options hold copies of it; one that inherits its method, by itself. */
function storeName(value: unknown): unknown {
  const { reserve } = Object(value) as { reserve?: unknown };
  if (typeof reserve !== 'function') return value;
  return nameOf(Object.hasOwn(value as object, 'reserve') ? reserve : (value as object));
}

function nameOf(value: object): string {
  const known = names.get(value) ?? randomUUID();
  names.set(value, known);
  return known;
}
