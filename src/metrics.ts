import { Registry } from 'prom-client';

/** Every metric of the product is registered here; `GET /metrics` prints it. */
export const metricsRegistry = new Registry();
