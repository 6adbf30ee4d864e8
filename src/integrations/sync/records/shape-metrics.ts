import { Counter } from 'prom-client';
import { metricsRegistry } from '../../../metrics';

export const shapeFailures =
  (metricsRegistry.getSingleMetric('trestle_record_shape_failures_total') as Counter | undefined) ??
  new Counter({
    name: 'trestle_record_shape_failures_total',
    help: 'Records that were stored as they came and do not have their declared shape, by provider.',
    labelNames: ['provider'],
    registers: [metricsRegistry],
  });
