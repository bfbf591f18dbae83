import type { Provider } from '@nestjs/common';
import { HandlerPlans } from '../mcp/handler-plan.js';
import { HandlerScopeRegistry } from '../mcp/handler-scope.registry.js';
import { BootstrapWarnings } from './bootstrap-warnings.js';
import { HandlerInterceptors } from './handler-interceptors.js';
import { HandlerRegistration } from './handler-registration.js';
import { HandlerScan } from './handler-scan.js';
import { HandlerSources } from './handler-sources.js';
import { ResourceReport } from './resource-report.js';
import { SelfMountedRoutes } from './self-mounted-routes.js';
import { UnservedHandlers } from './unserved-handlers.js';

/** The providers that find the routes and handlers of an application, know their scopes and check them. @internal */
export const BOOTSTRAP_PROVIDERS: readonly Provider[] = [
  HandlerPlans,
  HandlerScan,
  HandlerSources,
  HandlerScopeRegistry,
  HandlerInterceptors,
  HandlerRegistration,
  SelfMountedRoutes,
  UnservedHandlers,
  BootstrapWarnings,
  ResourceReport,
];
