import { Counter } from 'prom-client';
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
