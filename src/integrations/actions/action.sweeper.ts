import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { ActionRepository } from './action.repository';

const EVERY_MS = 60_000;

/** Names what was left behind and removes what is past its time. */
@Injectable()
export class ActionSweeper {
  constructor(
    private readonly actions: ActionRepository,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Interval('actions.sweep', EVERY_MS)
  async tick(): Promise<void> {
    if (!this.settings.workers) return;
    // Best effort: what fails now is found at the next tick.
    await this.sweep().catch(() => undefined);
  }

  async sweep(): Promise<{ abandoned: number; expired: number }> {
    return { abandoned: await this.actions.markAbandoned(), expired: await this.actions.deleteExpired() };
  }
}
