import { metrics } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { type Instrumentation, registerInstrumentations } from '@opentelemetry/instrumentation';
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, type MetricReader, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, NodeTracerProvider, type SpanProcessor } from '@opentelemetry/sdk-trace-node';
import { createRequire } from 'node:module';
import { observeMcpAuth } from './telemetry.js';

//#region sdk
/** To a collector at OTEL_EXPORTER_OTLP_ENDPOINT, by default http://localhost:4318. */
function overHttp(): { spans: SpanProcessor; metrics: MetricReader } {
  return {
    spans: new BatchSpanProcessor(new OTLPTraceExporter()),
    metrics: new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() }),
  };
}

/** Spans of HTTP requests have the query. Clients may put tokens there, so their values are replaced. */
function ofHttp(): Instrumentation {
  return new HttpInstrumentation({ redactedQueryParamsServer: ['access_token', 'token'] });
}

/** Starts the SDK of OpenTelemetry and the observation of this package. Call it before Nest is imported. */
export function startOpenTelemetry(
  to = overHttp(),
  instrumentations: Instrumentation[] = [ofHttp()],
): { stop(): Promise<void> } {
  const resource = resourceFromAttributes({ 'service.name': process.env['OTEL_SERVICE_NAME'] ?? 'notes' });
  const tracerProvider = new NodeTracerProvider({ resource, spanProcessors: [to.spans] });
  const meterProvider = new MeterProvider({ resource, readers: [to.metrics] });
  tracerProvider.register();
  metrics.setGlobalMeterProvider(meterProvider);
  const unpatch = registerInstrumentations({ instrumentations });
  // It patches `http` when the module is required. An ES module that imports `http` gets the patched server too.
  createRequire(import.meta.url)('node:http');
  const unobserve = observeMcpAuth();
  return {
    stop: async () => {
      unobserve();
      unpatch();
      // What is not exported yet is lost if the collector is down. That must not keep the application from its end.
      await Promise.allSettled([tracerProvider.shutdown(), meterProvider.shutdown()]);
    },
  };
}
//#endregion sdk
