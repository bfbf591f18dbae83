import { Injectable } from '@nestjs/common';
import { DiscoveryService } from '@nestjs/core';
import { type ScannedHandler } from './handler-scan.js';
import { type McpDeclaration, McpHandlerSource } from './handler-source.js';

/** What the decorators on handlers of @rekog/mcp-nest declare. @internal */
export function declaredBy(handlers: readonly ScannedHandler[]): readonly McpDeclaration[] {
  return handlers.flatMap(({ operation, requirements, resource }) =>
    operation ? [{ ...operation, requirements, resource }] : [],
  );
}

/** Finds the application's own {@link McpHandlerSource}s among its providers. @internal */
@Injectable()
export class HandlerSources {
  constructor(private readonly discovery: DiscoveryService) {}

  declarations(): readonly McpDeclaration[] {
    return this.discovery
      .getProviders()
      .flatMap(({ instance }: { instance: unknown }) =>
        instance instanceof McpHandlerSource ? instance.declarations() : [],
      );
  }
}
