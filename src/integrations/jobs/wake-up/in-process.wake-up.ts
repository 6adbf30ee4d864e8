import { Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Clock } from '../../../clock';
import { asService } from '../../../database';
import { withDeadline } from '../../../deadline';
import type { Settings } from '../../../config/env';
import { WakeUp, type Topic, type WakeUpStatus, type Worker } from './wake-up';

interface Listener {
  readonly worker: Worker;
  /** While it looks. */
  looking?: Promise<void>;
  /** Whether it was called while it looked. */
  again: boolean;
}

/** How long a stop waits for a look, ms; what the looks began is the engine's to wait for. */
const DRAIN_MS = 15_000;

/** The wake-up within one process. */
export class InProcessWakeUp extends WakeUp implements BeforeApplicationShutdown {
  private readonly logger = new Logger(InProcessWakeUp.name);
  private readonly listeners = new Map<Topic, Listener>();
  private stopped = false;

  constructor(
    private readonly settings: Pick<Settings, 'workers'>,
    private readonly clock: Clock,
  ) {
    super();
  }

  listen(topic: Topic, worker: Worker): void {
    if (this.listeners.has(topic)) throw new Error(`The topic "${topic}" has a worker already.`);
    if (!this.settings.workers) return;
    this.listeners.set(topic, { worker, again: false });
    this.wake(topic);
  }

  wake(topic: Topic): void {
    const listener = this.listeners.get(topic);
    if (!listener || this.stopped) return;
    if (listener.looking) listener.again = true;
    else listener.looking = asService(() => this.look(topic, listener));
  }

  /** Whether nobody here can take more of the topic, or more comes than is looked for, so that another process could help. */
  isBusy(topic: Topic): boolean {
    const listener = this.listeners.get(topic);
    return !listener || listener.again || listener.worker.busy;
  }

  status(): Promise<WakeUpStatus> {
    return Promise.resolve({ status: 'ok' });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    const looks = Promise.all([...this.listeners.values()].flatMap(({ looking }) => looking ?? []));
    await withDeadline(this.clock, DRAIN_MS, () => looks).catch(() => undefined);
  }

  private async look(topic: Topic, listener: Listener): Promise<void> {
    do {
      listener.again = false;
      try {
        await listener.worker.wake();
      } catch (error) {
        // The rows are still there and their leases end: the next call looks again, the sweeper's at the latest.
        if (!this.stopped) this.logger.error(`The worker of "${topic}" failed: ${error instanceof Error ? error.message : String(error)}`);
      }
    } while (listener.again && !this.stopped);
    listener.looking = undefined;
  }
}
