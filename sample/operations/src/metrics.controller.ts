import { Controller, Get, Header, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import { SkipThrottle } from '@nestjs/throttler';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import {
  type AuthenticationTrace,
  type CacheReport,
  type EventOperation,
  McpAuthDiagnostics,
  McpAuthEvents,
  type McpAuthReport,
} from 'nestjs-mcp-auth';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { toolLabel } from './tool-label.js';

//#region decisions
/** Buckets for authentication: a cached token takes microseconds, an introspection may take seconds. */
const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

/** Node names the channels of a tracing channel so, followed by `:start` and others. */
const AUTHENTICATION = 'tracing:nestjs-mcp-auth:authentication';

/** Counts the decisions by tool and reason, and measures what authentication takes. */
@Injectable()
export class RequestMetrics implements OnModuleInit, OnModuleDestroy {
  readonly registry = new Registry();
  private readonly registers = [this.registry];
  private readonly starts = new WeakMap<object, number>();
  private readonly decisions = new Counter({
    name: 'mcp_auth_decisions_total',
    help: 'Decisions about operations',
    labelNames: ['tool', 'decision', 'reason'] as const,
    registers: this.registers,
  });
  private readonly verification = new Histogram({
    name: 'mcp_auth_authentication_seconds',
    help: 'Time from the credential to the caller, or to the rejection',
    labelNames: ['outcome'] as const,
    buckets: SECONDS,
    registers: this.registers,
  });

  constructor(private readonly events: McpAuthEvents) {}

  onModuleInit(): void {
    this.events.on('access_granted', ({ operations }) => {
      this.count(operations, 'granted', 'none');
    });
    this.events.on('access_denied', ({ operations, reason }) => {
      this.count(operations, 'denied', reason);
    });
    subscribe(`${AUTHENTICATION}:start`, this.start);
    subscribe(`${AUTHENTICATION}:asyncEnd`, this.end);
  }

  onModuleDestroy(): void {
    unsubscribe(`${AUTHENTICATION}:start`, this.start);
    unsubscribe(`${AUTHENTICATION}:asyncEnd`, this.end);
  }

  /** A request without operations counts once: an unreadable body, or the stream of a session. */
  private count(operations: readonly EventOperation[], decision: string, reason: string): void {
    const tools = operations.length === 0 ? ['none'] : operations.map(toolLabel);
    for (const tool of tools) this.decisions.inc({ tool, decision, reason });
  }

  /** The channel passes the same object at the start and at the end. */
  private readonly start = (trace: unknown): void => {
    this.starts.set(trace as object, performance.now());
  };

  private readonly end = (trace: unknown): void => {
    const start = this.starts.get(trace as object);
    if (start === undefined) return;
    const outcome = (trace as AuthenticationTrace).error === undefined ? 'succeeded' : 'failed';
    this.verification.observe({ outcome }, (performance.now() - start) / 1000);
  };
}
//#endregion decisions

//#region state
const STATUSES = ['up', 'stale', 'down', 'unknown'];
const LABELS = ['issuer', 'status', 'cache', 'result', 'state'];

/** Values of a metric, each with its labels. Values with the same labels are added up. */
type Read = (report: McpAuthReport) => readonly (readonly [Record<string, string>, number | undefined])[];

/** What the diagnostics report at the time of each scrape. Nothing is fetched for it. */
@Injectable()
export class StateMetrics {
  readonly registry = new Registry();

  constructor(private readonly diagnostics: McpAuthDiagnostics) {
    this.gauge('mcp_auth_server_status', 'Whether the server has this status', (report) =>
      report.authorizationServers.flatMap(({ issuer, status }) =>
        STATUSES.map((each) => [{ issuer, status: each }, Number(each === status)] as const),
      ),
    );
    this.gauge('mcp_auth_metadata_age_seconds', 'Time since the metadata was fetched', (report) =>
      report.authorizationServers.map(({ issuer, metadataAgeSeconds }) => [{ issuer }, metadataAgeSeconds]),
    );
    this.gauge('mcp_auth_keys_age_seconds', 'Time since the keys were fetched', (report) =>
      report.authorizationServers.map(({ issuer, keysAgeSeconds }) => [{ issuer }, keysAgeSeconds]),
    );
    this.gauge(
      'mcp_auth_introspections',
      'Requests to introspection endpoints, running or waiting',
      (report) =>
        report.introspection.flatMap(({ issuer, running, waiting }) => [
          [{ issuer, state: 'running' }, running] as const,
          [{ issuer, state: 'waiting' }, waiting] as const,
        ]),
    );
    this.counter('mcp_auth_cache_lookups_total', 'Lookups of a token in a cache', (report) =>
      cachesOf(report).flatMap(([cache, { hits, misses }]) => [
        [{ cache, result: 'hit' }, hits] as const,
        [{ cache, result: 'miss' }, misses] as const,
      ]),
    );
    this.gauge('mcp_auth_cache_entries', 'Tokens in a cache', (report) =>
      cachesOf(report).map(([cache, { entries }]) => [{ cache }, entries]),
    );
    this.gauge('mcp_auth_sessions', 'Sessions that are bound to their callers', ({ sessions }) => [
      [{}, sessions.entries],
    ]);
    this.gauge('mcp_auth_streams', 'Streams that end with their tokens', ({ streams }) => [
      [{}, streams.open],
    ]);
  }

  private gauge(name: string, help: string, read: Read): void {
    const collect = () => {
      this.fill(gauge, read);
    };
    const gauge = new Gauge({ name, help, labelNames: LABELS, registers: [this.registry], collect });
  }

  private counter(name: string, help: string, read: Read): void {
    const collect = () => {
      this.fill(counter, read);
    };
    const counter = new Counter({ name, help, labelNames: LABELS, registers: [this.registry], collect });
  }

  private fill(metric: Counter | Gauge, read: Read): void {
    metric.reset();
    for (const [labels, value] of read(this.diagnostics.report())) {
      if (value !== undefined) metric.inc(labels, value);
    }
  }
}

/** The caches by name. Those for introspection belong to a server each, and are added up. */
function cachesOf({ caches }: McpAuthReport): (readonly [string, CacheReport])[] {
  return [
    ['verified_tokens', caches.verifiedTokens],
    ...caches.introspection.map((each) => ['introspection', each] as const),
  ];
}
//#endregion state

//#region controller
/** Keep the route internal: labels name your issuers and tools. */
@Controller('metrics')
@SkipThrottle({ address: true })
export class MetricsController {
  private readonly registry: Registry;

  constructor(requests: RequestMetrics, state: StateMetrics) {
    this.registry = Registry.merge([requests.registry, state.registry]);
  }

  @Get()
  @Header('content-type', Registry.PROMETHEUS_CONTENT_TYPE)
  read(): Promise<string> {
    return this.registry.metrics();
  }
}
//#endregion controller
