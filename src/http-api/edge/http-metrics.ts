import { collectDefaultMetrics, Counter, Histogram } from 'prom-client';
import { metricsRegistry } from '../../metrics';

const registers = [metricsRegistry];
const requests = new Counter({
  name: 'trestle_http_requests_total',
  help: 'Requests that were answered.',
  labelNames: ['method', 'route', 'status'],
  registers,
});
const seconds = new Histogram({
  name: 'trestle_http_request_seconds',
  help: 'Time until an answer was sent.',
  labelNames: ['route'],
  registers,
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
});
let processMetrics = false;

const children = new Map<string, { total: Counter.Internal; time: Histogram.Internal<'route'> }>();

/** Bounded by routes, methods and statuses. The metrics' children are looked up once: finding one by its labels costs more than counting. */
export function observeRequest(request: { method: string; route: string; status: number; seconds: number }): void {
  const { method, route, status } = request;
  const key = `${method} ${status} ${route}`;
  let child = children.get(key);
  if (!child) children.set(key, (child = { total: requests.labels(method, route, String(status)), time: seconds.labels(route) }));
  child.total.inc();
  child.time.observe(request.seconds);
}

/** Memory, CPU, event loop and the like; watched from the start of the service on, once. */
export function watchProcess(): void {
  if (processMetrics) return;
  processMetrics = true;
  collectDefaultMetrics({ register: metricsRegistry });
}
