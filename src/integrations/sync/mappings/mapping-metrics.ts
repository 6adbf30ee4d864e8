import { Counter } from 'prom-client';
import { metricsRegistry } from '../../../metrics';

export const mappingFailures =
  (metricsRegistry.getSingleMetric('trestle_record_mapping_failures_total') as Counter | undefined) ??
  new Counter({
    name: 'trestle_record_mapping_failures_total',
    help: 'Records that were read and could not be mapped, by provider.',
    labelNames: ['provider'],
    registers: [metricsRegistry],
  });
