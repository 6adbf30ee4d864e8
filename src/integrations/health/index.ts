/** Health of providers and connections, the request log, alerts, readiness. For the composition and the pages. */
export { AlertService, type Alert, type AlertState } from './alert.service';
export { HealthModule } from './health.module';
export { ProviderHealthService, type ConnectionHealth, type HealthStatus, type ProviderHealth } from './provider-health.service';
export { ReadinessService, type Readiness } from './readiness.service';
export { RequestLogReader, type LoggedRequest } from './request-log.reader';
