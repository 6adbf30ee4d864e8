import { Inject, Injectable, Logger, type BeforeApplicationShutdown } from '@nestjs/common';
import PQueue from 'p-queue';
import { CLOCK, type Clock } from '../../../clock';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { WakeUp, type AnswerOptions, type WakeUpStatus, type Topic, type Work } from './wake-up';

interface Desk {
  readonly work: Work;
  readonly lanes: PQueue;
}

/** How long a stop waits for what is in flight, ms. The lease brings back what does not end by then. */
const DRAIN_MS = 15_000;

/** The wakeUp of one process. */
@Injectable()
export class InProcessWakeUp extends WakeUp implements BeforeApplicationShutdown {
  private readonly logger = new Logger(InProcessWakeUp.name);
  private readonly desks = new Map<Topic, Desk>();
  private readonly stopping = new AbortController();

  constructor(
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'workers'>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {
    super();
  }

  answer(topic: Topic, work: Work, { lanes = 1 }: AnswerOptions = {}): void {
    if (this.desks.has(topic)) throw new Error(`The topic "${topic}" has a worker already.`);
    if (!this.settings.workers) return;
    this.desks.set(topic, { work, lanes: new PQueue({ concurrency: lanes }) });
    this.ring(topic);
  }

  ring(topic: Topic): void {
    const desk = this.desks.get(topic);
    // One look that has not begun yet will see what this ring is about.
    if (!desk || desk.lanes.size > 0 || this.stopping.signal.aborted) return;
    void desk.lanes.add(() => this.look(topic, desk));
  }

  /** Whether every lane of the topic is at work, so that another process could help. */
  isBusy(topic: Topic): boolean {
    const desk = this.desks.get(topic);
    return !desk || desk.lanes.size > 0;
  }

  status(): Promise<WakeUpStatus> {
    return Promise.resolve({ status: 'ok' });
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('the process is stopping'));
    const drained = Promise.all([...this.desks.values()].map(({ lanes }) => lanes.onIdle()));
    const deadline = new AbortController();
    await Promise.race([drained, this.clock.sleep(DRAIN_MS, deadline.signal).catch(() => undefined)]);
    deadline.abort();
  }

  private async look(topic: Topic, { work }: Desk): Promise<void> {
    const { signal } = this.stopping;
    try {
      while (!signal.aborted && (await work(signal)) === 'more');
    } catch (error) {
      // The rows are still there and their leases end: the next ring looks again, the sweeper's at the latest.
      if (!signal.aborted) this.logger.error(`The worker of "${topic}" stopped: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}
