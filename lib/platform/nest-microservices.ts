import type { ModulesContainer } from '@nestjs/core';
import type { Observable } from 'rxjs';

/** Metadata keys that `@MessagePattern()` writes. Undocumented. Checked with @nestjs/microservices 11.1.6 to 12.1.1. */
const PATTERN_EXTRAS = 'microservices:pattern_extras';
const PATTERN_TRANSPORT = 'microservices:transport';

/** What a library hands to `@MessagePattern()` of a handler beside the pattern. @internal */
export function patternExtras(method: object): Readonly<Record<string, unknown>> {
  return (Reflect.getMetadata(PATTERN_EXTRAS, method) ?? {}) as Readonly<Record<string, unknown>>;
}

/** The transport that `@MessagePattern()` of a handler names. @internal */
export function patternTransport(method: object): unknown {
  return Reflect.getMetadata(PATTERN_TRANSPORT, method) as unknown;
}

/**
 * The strategies that are connected to the application as microservices, before and after this call.
 *
 * Its source is undocumented. Checked with @nestjs/core 11.2.8 to 12.5.1.
 *
 * @returns undefined if Nest is older than 11.1.6
 * @internal
 */
export function connectedStrategies(modules: ModulesContainer): Observable<object> | undefined {
  const { getRpcTargetRegistry } = modules as Partial<ModulesContainer>;
  return getRpcTargetRegistry?.call(modules) as Observable<object> | undefined;
}
