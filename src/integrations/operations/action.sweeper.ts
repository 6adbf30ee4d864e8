import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { ActionReconciler } from './action-reconciler';
import { ActionRepository } from './action.repository';

const EVERY_MS = 60_000;

/** Names what was left behind, looks for it at the provider, and removes what is past its time. */
@Injectable()
export class ActionSweeper {
  constructor(
    private readonly actions: ActionRepository,
    private readonly reconciler: ActionReconciler,
    @Inject(SETTINGS) private readonly settings: Settings,
  ) {}

  @Interval('actions.sweep', EVERY_MS)
  async tick(): Promise<void> {
    if (!this.settings.workers) return;
    // Best effort: what fails now is found at the next tick.
    await this.sweep().catch(() => undefined);
  }

  async sweep(): Promise<{ abandoned: number; settled: number; expired: number }> {
    const abandoned = await this.actions.markAbandoned();
    const expired = await this.actions.deleteExpired();
    return { abandoned, expired, settled: await this.reconciler.sweep() };
  }
}
