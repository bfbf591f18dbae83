import type { Type } from '@nestjs/common';
import type { ModuleRef } from '@nestjs/core';
import { McpAuthConfigError } from '../errors/config.error.js';

/** Whether it is a class: its `prototype` is read-only, or, compiled to a function, has the method. @internal */
export function isClassWith(value: unknown, method: string): value is Type {
  const prototype = Object.getOwnPropertyDescriptor(Object(value), 'prototype');
  if (typeof value !== 'function' || prototype === undefined) return false;
  return prototype.writable === false || hasMethod(prototype.value, method);
}

/** Returns whether a value has a method of this name. @internal */
export function hasMethod(value: unknown, method: string): boolean {
  return typeof (value as Record<string, unknown> | null | undefined)?.[method] === 'function';
}

/** A class, or an abstract one for which a provider stands. */
type AnyClass<T> = abstract new (...args: never[]) => T;

/** What a class among the options is for, for messages. @internal */
export interface ProviderRole {
  /** Such as "is the verifier of https://api.example.com/notes". */
  readonly role: string;
  /** The method that it must have, and what to do if it has none. */
  readonly method: string;
  readonly fix: string;
}

/**
 * Returns the provider of a class among the options, from any module.
 *
 * @throws {@link McpAuthConfigError} for a class that is not a provider, has an instance for each request, or lacks the method
 * @internal
 */
export function providerOf<T>(
  moduleRef: ModuleRef,
  type: AnyClass<T>,
  { role, method, fix }: ProviderRole,
): T {
  let found: T;
  try {
    found = moduleRef.get<T>(type, { strict: false });
  } catch (cause) {
    // Not exported by Nest. Checked with @nestjs/core 11.2.8 to 12.5.1.
    const isScoped = cause instanceof Error && cause.constructor.name === 'InvalidClassScopeException';
    const problem = isScoped
      ? 'is request-scoped or transient, but one instance serves all requests; give it the default scope, and no request-scoped ' +
        'dependencies'
      : `cannot be found; add ${type.name} to the providers of a module, in the default scope`;
    throw rejected(type, `${role} and ${problem}`, { cause });
  }
  if (hasMethod(found, method)) return found;
  throw rejected(type, `${role} and has no method "${method}"; ${fix}`);
}

function rejected({ name }: AnyClass<unknown>, message: string, options?: ErrorOptions): McpAuthConfigError {
  return new McpAuthConfigError([{ path: name, message }], options);
}
