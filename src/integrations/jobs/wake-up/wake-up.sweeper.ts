import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { WakeUp, TOPICS } from './wake-up';

const EVERY_MS = 2_000;

/** Wakes for what became due by time alone, for leases that ended, and for calls that were lost. */
@Injectable()
export class WakeUpSweeper {
  constructor(
    private readonly wakeUp: WakeUp,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Interval('wake-up.sweeper', EVERY_MS)
  sweep(): void {
    if (!this.settings.workers) return;
    for (const topic of TOPICS) this.wakeUp.wake(topic);
  }
}
