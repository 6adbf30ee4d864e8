import { Counter, Histogram } from 'prom-client';
import { metricsRegistry } from '../../metrics';

function counter<L extends string>(name: string, help: string, labelNames: L[]): Counter<L> {
  return (
    (metricsRegistry.getSingleMetric(name) as Counter<L> | undefined) ??
    new Counter({ name, help, labelNames, registers: [metricsRegistry] })
  );
}

export const acceptedDeliveries = counter('trestle_webhook_deliveries_accepted_total', 'Deliveries that were stored and answered.', [
  'provider',
]);
export const refusedDeliveries = counter('trestle_webhook_deliveries_refused_total', 'Deliveries that were refused, by cause.', [
  'provider',
  'cause',
]);
export const settledEvents = counter('trestle_webhook_events_settled_total', 'Runs of stored events: completed, failed, dead.', [
  'provider',
  'outcome',
]);

export const effectSeconds =
  (metricsRegistry.getSingleMetric('trestle_webhook_effect_seconds') as Histogram<'provider'> | undefined) ??
  new Histogram({
    name: 'trestle_webhook_effect_seconds',
    help: 'From the receipt of a delivery to the effect of its events; the lag of what is worked off.',
    labelNames: ['provider'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3_600],
    registers: [metricsRegistry],
  });
