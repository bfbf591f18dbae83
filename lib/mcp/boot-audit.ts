import { Injectable } from '@nestjs/common';
import { McpAuthConfigError } from '../errors/config.error.js';
import { ProtectedResourceRegistry } from '../resource-metadata/protected-resource.registry.js';
import { handlerProblems, unguardedEndpoints } from './handler-audit.js';
import { type ScannedHandler } from './handler-scan.js';
import { RouteScan } from './route-scan.js';
import { SelfMountedRoutes } from './self-mounted-routes.js';

/**
 * Does not let an application start whose handlers cannot be protected as they are written.
 *
 * @internal
 */
@Injectable()
export class BootAudit {
  constructor(
    private readonly resources: ProtectedResourceRegistry,
    private readonly routes: RouteScan,
    private readonly mounted: SelfMountedRoutes,
  ) {}

  /**
   * @param handlers - all handlers of the application
   * @param globalGuards - guards that cover every route: instances or classes
   * @throws {@link McpAuthConfigError} naming everything that is wrong
   */
  assertSound(handlers: readonly ScannedHandler[], globalGuards: readonly unknown[]): void {
    const problems = [
      ...handlerProblems(handlers, globalGuards, this.resources),
      ...unguardedEndpoints(this.routes.routes(), globalGuards),
      ...this.mounted.problems(),
    ];
    if (problems.length > 0) throw new McpAuthConfigError(problems);
  }
}
