export { type Alert, type AlertCount, AlertService } from './alert.service';
export { CurrentTraffic, type FailingProvider } from './current-traffic';
export { type DayFigures, DayFiguresService, type FigureSums, type HourlyFigures } from './day-figures.service';
export { MonitoringModule } from './monitoring.module';
export { type ProviderSetup, ProviderSetupCheck, type SetupFinding } from './provider-setup-check';
export { type ConnectionHealth, type ProviderHealth, ProviderHealthService } from './provider-health.service';
