import { Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { TerminusModule } from '@nestjs/terminus';
import { SkipThrottle, ThrottlerModule } from '@nestjs/throttler';
import { McpAuthModule } from 'nestjs-mcp-auth';
import { AuditLog } from './audit-log.js';
import { CLIENT, ISSUER, RESOURCE } from './environment.js';
import { HealthController, McpAuthHealthIndicator } from './health.controller.js';
import { LogCorrelation, Logging } from './logging.js';
import { MetricsController, RequestMetrics, StateMetrics } from './metrics.controller.js';
import { NotesEndpoint } from './notes.endpoint.js';
import { NotesTools } from './notes.tools.js';
import { AddressThrottlerGuard, LIMITS } from './throttling.js';

//#region module
@Module({
  imports: [
    McpAuthModule.forRoot({
      resources: {
        resource: RESOURCE,
        authorizationServers: [{ issuer: ISSUER, introspection: CLIENT }],
        requiredScopes: ['notes:read'],
      },
      // It starts while the authorization server is down. Readiness says so.
      onDiscoveryFailure: 'retry',
      // The metadata documents are for all clients, so their requests do not count.
      decorators: [SkipThrottle({ address: true })],
    }),
    Logging,
    TerminusModule,
    ThrottlerModule.forRoot(LIMITS),
  ],
  controllers: [NotesEndpoint, NotesTools, HealthController, MetricsController],
  providers: [
    { provide: APP_GUARD, useClass: AddressThrottlerGuard },
    AuditLog,
    LogCorrelation,
    McpAuthHealthIndicator,
    RequestMetrics,
    StateMetrics,
  ],
})
export class AppModule {}
//#endregion module
