import { Counter, Histogram } from 'prom-client';
import { metricsRegistry } from '../../../metrics';

const registers = [metricsRegistry];

export const syncRuns = new Counter({
  name: 'trestle_sync_runs_total',
  help: 'Runs of synchronizations that ended: succeeded, failed, cancelled, paused.',
  labelNames: ['provider', 'type', 'status'] as const,
  registers,
});

export const syncRunSeconds = new Histogram({
  name: 'trestle_sync_run_seconds',
  help: 'From the start of a run to its end, waiting between its tries included.',
  labelNames: ['provider', 'type'] as const,
  buckets: [0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400],
  registers,
});
