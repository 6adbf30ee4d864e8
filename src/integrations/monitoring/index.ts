export { type Alert, type AlertCount, AlertService } from './alert.service';
export { CurrentTraffic, type FailingProvider, type HourlyTraffic } from './current-traffic';
export { MonitoringModule } from './monitoring.module';
export { type ProviderSetup, ProviderSetupCheck, type SetupFinding } from './provider-setup-check';
export { type ConnectionHealth, type ProviderHealth, ProviderHealthService } from './provider-health.service';
