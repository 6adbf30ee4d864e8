import { Counter, Histogram } from 'prom-client';
import { metricsRegistry } from '../../metrics';

export const jobRuns = new Counter({
  name: 'trestle_job_runs_total',
  help: 'Jobs that were run in this process: done, failed, given back (a stop), lost (somebody else had it). A batch of webhook events is one.',
  labelNames: ['kind', 'outcome'] as const,
  registers: [metricsRegistry],
});

export const jobSeconds = new Histogram({
  name: 'trestle_job_seconds',
  help: 'How long a job was in work in this process.',
  labelNames: ['kind'] as const,
  buckets: [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600],
  registers: [metricsRegistry],
});
