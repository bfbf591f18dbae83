import { type Provider } from '@nestjs/common';
import { BootstrapWarnings } from './bootstrap-warnings.js';
import { HandlerPlans } from './handler-plan.js';
import { HandlerRegistration } from './handler-registration.js';
import { HandlerScan } from './handler-scan.js';
import { HandlerScopeRegistry } from './handler-scope.registry.js';
import { HandlerSources } from './handler-sources.js';
import { SelfMountedRoutes } from './self-mounted-routes.js';
import { UnservedHandlers } from './unserved-handlers.js';

/** What finds the routes and handlers of an application, and knows what they need. @internal */
export const MCP_PROVIDERS: readonly Provider[] = [
  HandlerPlans,
  HandlerScan,
  HandlerSources,
  SelfMountedRoutes,
  HandlerRegistration,
  BootstrapWarnings,
  HandlerScopeRegistry,
  UnservedHandlers,
];
