import {
  context,
  propagation,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Link,
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
  /**
   * Of stored work that is carried out: the places of what it goes on with (`traceInHand`), asked where something is traced. The span goes on
   * from the one, and of several it is a new trace with a link to each (https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/).
   * Whatever called is not its parent: a wake-up of one request claims the work of others.
   */
  readonly goesOnFrom?: () => Iterable<string | undefined>;
}

/** Links of one span; an SDK keeps no more by itself. */
const MAX_LINKS = 128;

/** Does the work within a span of its own. One that fails has the error's code, and never its text: that may hold what a log line would not. */
export function inSpan<T>(name: string, facts: SpanFacts, work: () => Promise<T>): Promise<T> {
  if (!isTraced()) return work();
  const { kind, attributes } = facts;
  const { parent, links } = originOf(facts);
  return tracer.startActiveSpan(name, { kind, attributes, links }, parent, (span) => ended(span, work));
}

async function ended<T>(span: Span, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    fail(span, findIntegrationError(error)?.code ?? 'internal_error');
    throw error;
  } finally {
    span.end();
  }
}

/** Where we are in a trace, as a `traceparent`, to be stored with what goes on later; undefined where nothing is traced. */
export function traceInHand(): string | undefined {
  return isTraced() ? traceHeaders()['traceparent'] : undefined;
}

/** The id of the trace in hand, for the log; undefined where nothing is traced. */
export function traceIdInHand(): string | undefined {
  return trace.getActiveSpan()?.spanContext().traceId;
}

/**
 * Does a part of the work in hand that is about something stored, within a span of that thing's own trace; where the work in hand is of
 * another one, with a link to it. Where nothing is traced it is the work alone.
 */
export function inSpanOf<T>(traceparent: string | undefined, name: string, work: () => Promise<T>): Promise<T> {
  if (!isTraced()) return work();
  const around = trace.getActiveSpan()?.spanContext();
  const stored = traceparent === undefined ? undefined : contextOf(traceparent);
  const isSame = around !== undefined && (!stored || trace.getSpanContext(stored)?.traceId === around.traceId);
  const parent = isSame || !stored ? context.active() : stored;
  const links = isSame || !around ? [] : [{ context: around }];
  return tracer.startActiveSpan(name, { kind: SpanKind.INTERNAL, links }, parent, (span) => ended(span, work));
}

/**
 * Whether anything is registered that makes spans or hands on a trace. Without it a span that goes nowhere would still cost a call or a
 * delivery several microseconds (docs/decisions/0024), so it is asked first.
 */
export function isTraced(): boolean {
  const provider = trace.getTracerProvider();
  const makesSpans = !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer('trestle') !== undefined;
  return makesSpans || propagation.fields().length > 0;
}

function originOf({ goesOnFrom }: SpanFacts): { parent: Context; links: Link[] } {
  if (!goesOnFrom) return { parent: context.active(), links: [] };
  const stored = [...new Set(goesOnFrom())].flatMap((traceparent) => (traceparent === undefined ? [] : [contextOf(traceparent)]));
  if (stored.length === 1) return { parent: stored[0]!, links: [] };
  const contexts = stored.slice(0, MAX_LINKS).map((each) => trace.getSpanContext(each));
  return { parent: ROOT_CONTEXT, links: contexts.flatMap((each) => (each ? [{ context: each }] : [])) };
}

function contextOf(traceparent: string): Context {
  return propagation.extract(ROOT_CONTEXT, { traceparent });
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

const NO_SPAN: RequestSpan = { within: (work) => work(), end: () => undefined };

/** Goes on with the caller's trace, where it sent one. */
export function requestSpan(headers: Readonly<Record<string, unknown>>): RequestSpan {
  if (!isTraced()) return NO_SPAN;
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
