import { Controller, Get, Injectable } from '@nestjs/common';
import { HealthCheck, HealthCheckService, HealthIndicatorService } from '@nestjs/terminus';
import { SkipThrottle } from '@nestjs/throttler';
import { McpAuthDiagnostics } from 'nestjs-mcp-auth';

//#region indicator
/** `down` if the tokens of a server cannot be verified, `degraded` if they are verified by cached keys. */
@Injectable()
export class McpAuthHealthIndicator {
  constructor(
    private readonly diagnostics: McpAuthDiagnostics,
    private readonly indicators: HealthIndicatorService,
  ) {}

  async check() {
    const indicator = this.indicators.check('mcpAuth');
    const { isHealthy, authorizationServers } = await this.diagnostics.check();
    const details = {
      authorizationServers: authorizationServers.map(({ issuer, status, lastFailure }) => ({
        issuer,
        status,
        lastFailure,
      })),
    };
    if (!isHealthy) return indicator.down(details);
    const isStale = authorizationServers.some(({ status }) => status === 'stale');
    return isStale ? indicator.degraded(details) : indicator.up(details);
  }
}
//#endregion indicator

//#region controller
/** For probes. The details name your issuers, so keep the routes internal. */
@Controller('health')
@SkipThrottle({ address: true })
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly mcpAuth: McpAuthHealthIndicator,
  ) {}

  /** Whether to send requests here. */
  @Get('ready')
  @HealthCheck()
  ready() {
    return this.health.check([() => this.mcpAuth.check()]);
  }

  /** Whether to leave the process running. A restart repairs no authorization server, so none is checked. */
  @Get('live')
  live() {
    return { status: 'ok' };
  }
}
//#endregion controller
