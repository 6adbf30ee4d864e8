import { Counter } from 'prom-client';
import { metricsRegistry } from '../../metrics';

const NAME = 'trestle_outgoing_deliveries_total';

export const outgoingDeliveries =
  (metricsRegistry.getSingleMetric(NAME) as Counter<'outcome'> | undefined) ??
  new Counter({
    name: NAME,
    help: 'Tries to deliver a webhook to a destination: delivered, failed, dead.',
    labelNames: ['outcome'],
    registers: [metricsRegistry],
  });
