import { Counter, Gauge, Histogram } from 'prom-client';
import { metricsRegistry } from '../../metrics';

const registers = [metricsRegistry];

export const requestsTotal = new Counter({
  name: 'trestle_provider_requests_total',
  help: 'Requests sent to providers, by what became of them.',
  labelNames: ['provider', 'outcome'] as const,
  registers,
});

export const requestSeconds = new Histogram({
  name: 'trestle_provider_request_seconds',
  help: 'Time of one request to a provider, from sending to the end of what is read of its answer.',
  labelNames: ['provider'] as const,
  buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  registers,
});

export const limiterWaitSeconds = new Histogram({
  name: 'trestle_provider_limit_wait_seconds',
  help: 'Time that calls waited for a rate limit, those that had to.',
  labelNames: ['provider'] as const,
  buckets: [0.001, 0.01, 0.1, 0.5, 1, 5, 15, 30],
  registers,
});

export const retriesTotal = new Counter({
  name: 'trestle_provider_retries_total',
  help: 'Tries that were repeated.',
  labelNames: ['provider'] as const,
  registers,
});

export const circuitState = new Gauge({
  name: 'trestle_provider_circuit_state',
  help: 'Circuit of the provider in this process: 0 closed, 1 half open, 2 open.',
  labelNames: ['provider'] as const,
  registers,
});

export const requestLogDropped = new Counter({
  name: 'trestle_request_log_dropped_total',
  help: 'Rows of the request log that were dropped because the store could not keep up.',
  registers,
});
