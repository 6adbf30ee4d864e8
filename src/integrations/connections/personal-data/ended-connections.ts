import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { PeriodicTasks } from '../../jobs';
import { Erasure } from './erasure';

const EVERY_MS = 60 * 60_000;

/** Purges connections that ended longer ago than `ENDED_CONNECTION_DAYS`. */
@Injectable()
export class EndedConnections {
  constructor(
    private readonly erasure: Erasure,
    private readonly periodic: PeriodicTasks,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'endedConnectionDays'>,
  ) {}

  @Interval('ended-connections', EVERY_MS)
  tick(): Promise<void> {
    return this.periodic.run('ended-connections', (signal) => this.erasure.sweep(this.settings.endedConnectionDays, signal));
  }
}
