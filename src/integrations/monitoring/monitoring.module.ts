import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DATABASE, OWN_DATA_SOURCE } from '../../database';
import { AuditModule } from '../audit';
import { ConnectionsModule, PersonalData } from '../connections';
import { MONITORING_TABLES } from './held-tables';
import { FiguresModule } from '../figures';
import { OutboxModule } from '../notifications/outbox';
import { OutboundModule, RequestLogReader } from '../outbound';
import { SyncModule } from '../sync';
import { WebhooksModule } from '../webhooks';
import { AdminHealthController } from './admin-health.controller';
import { AdminProvidersController } from './admin-providers.controller';
import { ALERT_RULES_TOKEN, AlertEvaluator } from './alert-evaluator';
import { ALERT_RULES } from './alert-rules';
import { AlertMetrics } from './alert-metrics';
import { AlertEntity } from './alert.entity';
import { AlertService } from './alert.service';
import { ConnectionCountCompactor } from './connection-count-compactor';
import { CurrentTraffic } from './current-traffic';
import { DayFiguresService } from './day-figures.service';
import { ProviderSetupCheck } from './provider-setup-check';
import { ProviderHealthService } from './provider-health.service';
import { ReadinessController } from './readiness.controller';
import { ReadinessService } from './readiness.service';
import { Retention } from './retention';
import { MonitoringScheduler } from './monitoring.scheduler';

/** Reads what the others wrote: health, the request log, alerts, readiness. Nobody imports it but the composition. */
@Module({
  imports: [
    FiguresModule,
    AuditModule,
    ConnectionsModule,
    OutboundModule,
    OutboxModule,
    SyncModule,
    WebhooksModule,
    TypeOrmModule.forFeature([AlertEntity], DATABASE),
  ],
  controllers: [AdminHealthController, AdminProvidersController, ReadinessController],
  providers: [
    ConnectionCountCompactor,
    CurrentTraffic,
    DayFiguresService,
    OWN_DATA_SOURCE,
    ProviderHealthService,
    ProviderSetupCheck,
    RequestLogReader,
    AlertService,
    AlertMetrics,
    AlertEvaluator,
    { provide: ALERT_RULES_TOKEN, useValue: ALERT_RULES },
    ReadinessService,
    Retention,
    MonitoringScheduler,
  ],
  exports: [CurrentTraffic, DayFiguresService, ProviderHealthService, ProviderSetupCheck, RequestLogReader, AlertService, ReadinessService],
})
export class MonitoringModule {
  constructor(data: PersonalData) {
    data.register(MONITORING_TABLES);
  }
}
