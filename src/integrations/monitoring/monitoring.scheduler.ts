import { Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { PeriodicTasks } from '../jobs';
import { AlertEvaluator } from './alert-evaluator';
import { Retention } from './retention';

const ALERTS_EVERY_MS = 10_000;
const RETENTION_EVERY_MS = 10 * 60_000;

/** Looks for alerts and throws old rows away, in every process that works; rows decide, so several looking at once do no harm. */
@Injectable()
export class MonitoringScheduler {
  constructor(
    private readonly alerts: AlertEvaluator,
    private readonly retention: Retention,
    private readonly periodic: PeriodicTasks,
  ) {}

  @Interval('alerts', ALERTS_EVERY_MS)
  look(): Promise<void> {
    return this.periodic.run('alerts', () => this.alerts.evaluate());
  }

  @Interval('retention', RETENTION_EVERY_MS)
  sweep(): Promise<void> {
    return this.periodic.run('retention', (signal) => this.retention.sweep(signal));
  }
}
