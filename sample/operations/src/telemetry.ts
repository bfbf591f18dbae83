import {
  type Attributes,
  context,
  metrics,
  propagation,
  ROOT_CONTEXT,
  type Context,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type {
  AccessDeniedEvent,
  AccessGrantedEvent,
  AuthenticationTrace,
  EventOperation,
  RequestCompletedEvent,
} from 'nestjs-mcp-auth';
import { toolLabel } from './tool-label.js';

type Decision = AccessGrantedEvent | AccessDeniedEvent;

/** Maximum number of starts that wait for their decision. The oldest is dropped beyond it. */
const MAX_STARTS = 10_000;

//#region observe
/**
 * Makes a span `mcp.auth` of each decision, and metrics. It needs no Nest: it listens to `node:diagnostics_channel`.
 *
 * @returns a function that ends it
 */
export function observeMcpAuth(): () => void {
  const starts = new Map<string, number>();
  const meters = createMeters();

  const onStart = (message: unknown): void => {
    const { requestId } = message as AuthenticationTrace;
    if (requestId === undefined || starts.has(requestId)) return;
    starts.set(requestId, performance.now());
    const [oldest] = starts.keys();
    if (starts.size > MAX_STARTS && oldest !== undefined) starts.delete(oldest);
  };
  const onDecision = (message: unknown): void => {
    const decision = message as Decision;
    const end = performance.now();
    const start = starts.get(decision.requestId) ?? end;
    starts.delete(decision.requestId);
    recordSpan(decision, start, end);
    meters.decided(decision, (end - start) / 1000);
  };
  const onCompleted = (message: unknown): void => {
    const completed = message as RequestCompletedEvent;
    starts.delete(completed.requestId);
    meters.completed(completed);
  };

  const listeners = [
    ['tracing:nestjs-mcp-auth:authentication:start', onStart],
    ['nestjs-mcp-auth:access_granted', onDecision],
    ['nestjs-mcp-auth:access_denied', onDecision],
    ['nestjs-mcp-auth:request_completed', onCompleted],
  ] as const;
  for (const [channel, listener] of listeners) subscribe(channel, listener);
  return () => {
    for (const [channel, listener] of listeners) unsubscribe(channel, listener);
  };
}
//#endregion observe

//#region span
function recordSpan(decision: Decision, startTime: number, endTime: number): void {
  const { parent, links } = parentOf(decision.traceparent);
  const options = { kind: SpanKind.INTERNAL, startTime, links, attributes: spanAttributes(decision) };
  const span = trace.getTracer('nestjs-mcp-auth').startSpan('mcp.auth', options, parent);
  // As for HTTP servers, the fault of a client is no error of the span.
  if (decision.type === 'access_denied' && decision.status >= 500) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute('error.type', decision.reason);
  }
  span.end(endTime);
}

/** The span of the HTTP request, if there is one. Else, what the client sent. Another trace of the client is linked. */
function parentOf(traceparent: string | undefined): { parent: Context; links: { context: SpanContext }[] } {
  const active = trace.getSpanContext(context.active());
  const remote = propagation.extract(ROOT_CONTEXT, { traceparent });
  const sent = trace.getSpanContext(remote);
  if (!active) return { parent: remote, links: [] };
  const isOther = sent !== undefined && sent.traceId !== active.traceId;
  return { parent: context.active(), links: isOther ? [{ context: sent }] : [] };
}

/** Names of the semantic conventions, and for what they do not name, names of this package. */
function spanAttributes(event: Decision): Attributes {
  const { operations, credential, type } = event;
  return {
    ...(operations.length === 1 && operations[0] ? operationAttributes(operations[0]) : {}),
    'client.address': event.remoteAddress,
    'enduser.id': event.subject,
    'mcp.protocol.version': event.protocolVersion,
    'mcp.session.id': event.session, // a hash of it
    'network.transport': credential === 'local' ? 'pipe' : 'tcp',
    'nestjs_mcp_auth.request_id': event.requestId,
    'nestjs_mcp_auth.resource': event.resource,
    'nestjs_mcp_auth.route': event.route,
    'nestjs_mcp_auth.operations': operations.length,
    'nestjs_mcp_auth.issuer': event.issuer,
    'nestjs_mcp_auth.client_id': event.clientId,
    'nestjs_mcp_auth.credential': credential,
    'nestjs_mcp_auth.binding': event.binding,
    'nestjs_mcp_auth.decision': type === 'access_granted' ? 'granted' : 'denied',
    'nestjs_mcp_auth.granted_scopes': [...event.granted],
    ...(type === 'access_denied' && {
      'http.response.status_code': event.status,
      'nestjs_mcp_auth.reason': event.reason,
      'nestjs_mcp_auth.required_scopes': [...event.required],
    }),
  };
}

function operationAttributes({ method, kind, name }: EventOperation): Attributes {
  return {
    'mcp.method.name': method,
    ...(kind === 'tool' && { 'gen_ai.tool.name': name }),
    ...(kind === 'prompt' && { 'gen_ai.prompt.name': name }),
    ...(kind === 'resource' && { 'mcp.resource.uri': name }),
  };
}
//#endregion span

//#region meters
/** Clients choose the method too, so all others are one. */
const METHODS = new Set(['initialize', 'ping', 'tools/list', 'tools/call']);

/** The buckets of the semantic conventions for MCP. */
const OPERATION_SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
const AUTHENTICATION_SECONDS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

function createMeters() {
  const meter = metrics.getMeter('nestjs-mcp-auth');
  const decisions = meter.createCounter('nestjs_mcp_auth.decisions', { unit: '{decision}' });
  const duration = meter.createHistogram('nestjs_mcp_auth.duration', {
    unit: 's',
    advice: { explicitBucketBoundaries: AUTHENTICATION_SECONDS },
  });
  const operation = meter.createHistogram('mcp.server.operation.duration', {
    unit: 's',
    advice: { explicitBucketBoundaries: OPERATION_SECONDS },
  });
  return {
    decided(event: Decision, seconds: number): void {
      const outcome =
        event.type === 'access_granted'
          ? { 'nestjs_mcp_auth.decision': 'granted' }
          : { 'nestjs_mcp_auth.decision': 'denied', 'nestjs_mcp_auth.reason': event.reason };
      duration.record(seconds, outcome);
      for (const each of event.operations) decisions.add(1, { ...outcome, ...toolAttribute(each) });
    },
    completed({ durationMs, operations }: RequestCompletedEvent): void {
      for (const each of operations) {
        operation.record(durationMs / 1000, {
          'mcp.method.name': METHODS.has(each.method) ? each.method : '_OTHER',
          ...toolAttribute(each),
          ...(['failed', 'denied'].includes(each.outcome) && { 'error.type': each.outcome }),
        });
      }
    },
  };
}

/** The tool, by its label: names of no tool are one. */
function toolAttribute(operation: EventOperation): Attributes {
  return operation.kind === 'tool' ? { 'gen_ai.tool.name': toolLabel(operation) } : {};
}
//#endregion meters
