import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';

/** Injection token of the process's Prometheus `Registry`: register your own metrics here. */
export const METRICS = Symbol('Metrics');

/** A registry of its own, so that two applications in one process (tests) do not meet. */
export function createRegistry(): Registry {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'trestle_' });
  return registry;
}

@Injectable()
export class HttpMetrics implements OnApplicationShutdown {
  private readonly requests: Counter<'method' | 'route' | 'status'>;
  private readonly seconds: Histogram<'route'>;

  constructor(@Inject(METRICS) private readonly registry: Registry) {
    const registers = [registry];
    this.requests = new Counter({ name: 'trestle_http_requests_total', help: 'Requests answered', labelNames: ['method', 'route', 'status'], registers });
    this.seconds = new Histogram({ name: 'trestle_http_request_seconds', help: 'Time to answer', labelNames: ['route'], registers, buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 30] });
  }

  observe(request: { method: string; route: string; status: number; seconds: number }): void {
    this.requests.inc({ method: request.method, route: request.route, status: request.status });
    this.seconds.observe({ route: request.route }, request.seconds);
  }

  onApplicationShutdown(): void {
    this.registry.clear();
  }
}
