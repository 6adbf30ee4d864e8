export { type Alert, AlertService } from './alert.service';
export { MonitoringModule } from './monitoring.module';
export { type ConnectionHealth, type ProviderHealth, ProviderHealthService } from './provider-health.service';
