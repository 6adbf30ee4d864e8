import {
  context,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { findIntegrationError } from './errors';

/**
 * Spans of what the service does, by OpenTelemetry's interface. They go nowhere until an SDK is registered: `startTracing` does it where the
 * settings ask for it, and an application around Trestle may have done it before.
 * Names and attributes: https://opentelemetry.io/docs/specs/semconv/
 */
const tracer = trace.getTracer('trestle');

export { SpanKind } from '@opentelemetry/api';

interface SpanFacts {
  readonly kind: SpanKind;
  readonly attributes?: Attributes;
}

/** Does the work within a span of its own. One that fails has the error's code, and never its text: that may hold what a log line would not. */
export function inSpan<T>(name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T> {
  return tracer.startActiveSpan(name, facts, async (span) => {
    try {
      return await work();
    } catch (error) {
      fail(span, findIntegrationError(error)?.code ?? 'internal_error');
      throw error;
    } finally {
      span.end();
    }
  });
}

/** Adds where we are in the trace, for whoever is called; nothing where nothing is traced. */
export function traceHeaders(): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  propagation.inject(context.active(), headers);
  return headers;
}

/** As proxies log a caller that did not wait for the answer. */
export const CLIENT_GONE = 499;

/** The span of one request that is answered, which ends in another place than it begins. */
export interface RequestSpan {
  /** Of the trace, for the log; undefined where nothing is traced. */
  readonly traceId?: string;
  within<T>(work: () => T): T;
  /** @param route as it is declared, never the address itself */
  end(method: string, route: string, status: number): void;
}

/** Goes on with the caller's trace, where it sent one. */
export function requestSpan(headers: Readonly<Record<string, unknown>>): RequestSpan {
  const caller: Context = propagation.extract(ROOT_CONTEXT, headers);
  const span = tracer.startSpan('HTTP request', { kind: SpanKind.SERVER }, caller);
  const { traceId } = span.spanContext();
  return {
    ...(span.isRecording() && { traceId }),
    within: (work) => context.with(trace.setSpan(caller, span), work),
    end: (method, route, status) => {
      span.updateName(`${method} ${route}`);
      span.setAttributes({ 'http.request.method': method, 'http.route': route, 'http.response.status_code': status });
      if (status >= 500) fail(span, String(status));
      span.end();
    },
  };
}

function fail(span: Span, code: string): void {
  span.setStatus({ code: SpanStatusCode.ERROR, message: code });
  span.setAttribute('error.type', code);
}
