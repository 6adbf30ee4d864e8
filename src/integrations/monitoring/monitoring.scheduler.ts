import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { AlertNotifier } from './alert.notifier';
import { AlertService } from './alert.service';
import { Retention } from './retention';

const EVERY_MS = 10_000;
const RETENTION_EVERY_MS = 10 * 60_000;

/** Looks for alerts and throws old rows away, in every process that works; rows decide, so several looking at once do no harm. */
@Injectable()
export class MonitoringScheduler implements OnApplicationShutdown {
  private readonly logger = new Logger('alerts');
  private stopped = false;
  private looking: Promise<void> | undefined;

  constructor(
    private readonly alerts: AlertService,
    private readonly notifier: AlertNotifier,
    private readonly retention: Retention,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Interval('alerts', EVERY_MS)
  look(): Promise<void> {
    return this.unlessBusy(async () => {
      await this.alerts.evaluate();
      await this.notifier.deliver();
    });
  }

  @Interval('retention', RETENTION_EVERY_MS)
  sweep(): Promise<void> {
    return this.unlessBusy(() => this.retention.sweep());
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    await this.looking;
  }

  private async unlessBusy(work: () => Promise<void>): Promise<void> {
    if (!this.settings.workers || this.stopped || this.looking) return;
    this.looking = work().catch((error: unknown) => {
      // The next tick looks again; a database that is away is readiness' business.
      this.logger.warn(`Could not look for alerts: ${error instanceof Error ? error.message : 'unknown'}`);
    });
    await this.looking;
    this.looking = undefined;
  }
}
