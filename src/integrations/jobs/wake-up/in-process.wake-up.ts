import { Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import PQueue from 'p-queue';
import type { Clock } from '../../../clock';
import { withDeadline } from '../../../deadline';
import type { Settings } from '../../../config/env';
import { WakeUp, type ListenOptions, type WakeUpStatus, type Topic, type Work } from './wake-up';

interface Listener {
  readonly work: Work;
  readonly lanes: PQueue;
}

/** How long a stop waits for what is in flight, ms. The lease brings back what does not end by then. */
const DRAIN_MS = 15_000;

/** The wake-up within one process. */
export class InProcessWakeUp extends WakeUp implements BeforeApplicationShutdown {
  private readonly logger = new Logger(InProcessWakeUp.name);
  private readonly listeners = new Map<Topic, Listener>();
  private readonly stopping = new AbortController();

  constructor(
    private readonly settings: Pick<Settings, 'workers'>,
    private readonly clock: Clock,
  ) {
    super();
  }

  listen(topic: Topic, work: Work, { lanes = 1 }: ListenOptions = {}): void {
    if (this.listeners.has(topic)) throw new Error(`The topic "${topic}" has a worker already.`);
    if (!this.settings.workers) return;
    this.listeners.set(topic, { work, lanes: new PQueue({ concurrency: lanes }) });
    this.wake(topic);
  }

  wake(topic: Topic): void {
    const listener = this.listeners.get(topic);
    // One look that has not begun yet will see what this call is about.
    if (!listener || listener.lanes.size > 0 || this.stopping.signal.aborted) return;
    void listener.lanes.add(() => this.look(topic, listener));
  }

  /** Whether every lane of the topic is at work, so that another process could help. */
  isBusy(topic: Topic): boolean {
    const listener = this.listeners.get(topic);
    return !listener || listener.lanes.size > 0;
  }

  status(): Promise<WakeUpStatus> {
    return Promise.resolve({ status: 'ok' });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('the process is stopping'));
    const drained = Promise.all([...this.listeners.values()].map(({ lanes }) => lanes.onIdle()));
    await withDeadline(this.clock, DRAIN_MS, () => drained).catch(() => undefined);
  }

  private async look(topic: Topic, { work }: Listener): Promise<void> {
    const { signal } = this.stopping;
    try {
      while (!signal.aborted && (await work(signal)) === 'more');
    } catch (error) {
      // The rows are still there and their leases end: the next call looks again, the sweeper's at the latest.
      if (!signal.aborted) this.logger.error(`The worker of "${topic}" stopped: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
