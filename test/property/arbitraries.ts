import fc from 'fast-check';
import { McpAuthError } from 'nestjs-mcp-auth';
import { expect } from 'vitest';
import { NOTES } from '../fixtures/resources.js';

/** Bounds a property: so many runs, and a property that takes longer has failed. The seed is printed on failure. */
export function bounded(numRuns: number, limitMs = 5000): fc.Parameters<unknown> {
  return { numRuns, plugins: [fc.interruptAfterTimeLimit(limitMs, { failOnInterrupt: true })] };
}

/** Members that every object has, or that change what it is. */
const INHERITED = ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'then', 'toJSON'];

const AWKWARD: readonly unknown[] = [
  ...['', ' ', '\r\nX-Evil: 1', '"', '\\', '\u0000', '\u2028', '\uD800', 'K', '__proto__', 'none', 'Bearer'],
  ...[
    NOTES,
    `${NOTES}/`,
    'https://as.example',
    'http://127.0.0.1',
    'http://169.254.169.254/',
    'https://',
    '//',
  ],
  ...['notes:read', 'at+jwt', '9999999999', -1, 0, -0, 1e308, 2 ** 53, 0.5, true, false, null, [], {}, [[]]],
];

/** Any JSON value, with a liking for those that hurt. */
export const anyJson: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...AWKWARD),
  fc.jsonValue({ maxDepth: 3 }),
  fc.array(fc.constantFrom(...AWKWARD), { maxLength: 4 }),
  fc.dictionary(fc.constantFrom(...INHERITED, 'a', 'jkt'), fc.constantFrom(...AWKWARD), { maxKeys: 3 }),
);

/** An object with any values, mostly for members that somebody looks at. */
export function objectWith(...members: readonly string[]): fc.Arbitrary<Record<string, unknown>> {
  const name = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...members) },
    { weight: 1, arbitrary: fc.constantFrom(...INHERITED) },
    { weight: 1, arbitrary: fc.string({ maxLength: 8 }) },
  );
  return fc.dictionary(name, anyJson, { maxKeys: 8 });
}

const shapeOf = (prototype: object): string =>
  Reflect.ownKeys(prototype)
    .map((name) => `${String(name)} ${typeof Object.getOwnPropertyDescriptor(prototype, name)?.value}`)
    .join();
const shapes = (): readonly string[] => [Object.prototype, Array.prototype, String.prototype].map(shapeOf);
const before = shapes();

/** Fails where something has changed what all objects have. */
export function expectSamePrototypes(): void {
  expect(shapes()).toEqual(before);
}

/** What a function gives, or the error of this package that it throws; any other error is a failure. */
export function outcomeOf<T>(body: () => T): T | McpAuthError {
  try {
    return body();
  } catch (error) {
    if (error instanceof McpAuthError) return error;
    throw error;
  } finally {
    expectSamePrototypes();
  }
}

/** As {@link outcomeOf}, for promises. */
export async function laterOutcomeOf<T>(body: () => T | Promise<T>): Promise<T | McpAuthError> {
  try {
    return await body();
  } catch (error) {
    if (error instanceof McpAuthError) return error;
    throw error;
  } finally {
    expectSamePrototypes();
  }
}

/** A challenge as RFC 6750 section 3 has it: quoted values, of characters that need no escape. */
export const CHALLENGE =
  /^Bearer [a-z_]+="[\x20-\x21\x23-\x5B\x5D-\x7E]+"(?:, [a-z_]+="[\x20-\x21\x23-\x5B\x5D-\x7E]+")*$/;
