import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { asService } from '../../database';
import { withDeadline } from '../../deadline';
import { faultOf } from './fault-of';

const DRAIN_MS = 5_000;

/**
 * What an `@Interval` of `@nestjs/schedule` does here: only in processes with workers, a task never twice at the same time, its failure
 * logged and its own, and nothing begun once the process stops.
 * @example
 * \@Interval('retention', 600_000)
 * tick() { return this.periodic.run('retention', (signal) => this.sweep(signal)); }
 */
@Injectable()
export class PeriodicTasks implements BeforeApplicationShutdown {
  private readonly logger = new Logger('jobs');
  private readonly running = new Map<string, Promise<void>>();
  private readonly stopping = new AbortController();

  constructor(
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'workers'>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  /** Never rejects. The signal is aborted when the process is about to stop. */
  async run(name: string, task: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    if (!this.settings.workers || this.stopping.signal.aborted || this.running.has(name)) return;
    const done = this.attempt(name, task).finally(() => this.running.delete(name));
    this.running.set(name, done);
    await done;
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('the process is stopping'));
    const ended = Promise.all(this.running.values());
    await withDeadline(this.clock, DRAIN_MS, () => ended).catch(() => undefined);
  }

  private async attempt(name: string, task: (signal: AbortSignal) => Promise<unknown>): Promise<void> {
    try {
      await asService(() => task(this.stopping.signal));
    } catch (error) {
      // The next tick tries again; a database that is away is readiness' business.
      if (this.stopping.signal.aborted) return;
      this.logger.warn({ msg: 'A periodic task failed; the next tick tries again.', task: name, ...faultOf(error) });
    }
  }
}
