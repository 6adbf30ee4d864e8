import { Module } from '@nestjs/common';
import { HttpModule } from '../http';
import { AdminHealthController } from './admin-health.controller';
import { AlertNotifier } from './alert.notifier';
import { AlertService } from './alert.service';
import { ProviderHealthService } from './provider-health.service';
import { ReadinessController } from './readiness.controller';
import { ReadinessService } from './readiness.service';
import { RequestLogReader } from './request-log.reader';
import { Retention } from './retention';
import { Watchman } from './watchman';

/** Reads what the others wrote: health, the request log, alerts, readiness. Nobody imports it but the composition. */
@Module({
  imports: [HttpModule],
  controllers: [AdminHealthController, ReadinessController],
  providers: [ProviderHealthService, RequestLogReader, AlertService, AlertNotifier, ReadinessService, Retention, Watchman],
  exports: [ProviderHealthService, RequestLogReader, AlertService, ReadinessService],
})
export class HealthModule {}
