import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { withDeadline } from '../../deadline';
import type { ClaimedJob, JobKind } from './job-kind';
import { JobWorker } from './job-worker';
import { ProcessPresence } from './process-presence';
import { WakeUp } from './wake-up/wake-up';

/** How long a stop waits for what is in work, ms. The lease brings back what does not end by then. */
const DRAIN_MS = 15_000;

/** Starts and drains the workers of all kinds of jobs in this process. */
@Injectable()
export class JobEngine implements BeforeApplicationShutdown {
  private readonly workers: { stop(): Promise<void> }[] = [];
  private stops = false;

  constructor(
    private readonly wakeUp: WakeUp,
    @Inject(CLOCK) private readonly clock: Clock,
    private readonly presence: ProcessPresence,
  ) {}

  /**
   * Starts the worker of a kind: from now on it looks whenever its topic is woken, and every 2 s. To be called in
   * `onApplicationBootstrap`. In a process without workers it claims nothing, yet runs what it is handed (`JobWorker.run`).
   */
  start<J extends ClaimedJob>(kind: JobKind<J>): JobWorker<J> {
    const worker = new JobWorker(kind, this.clock, this.presence);
    this.workers.push(worker);
    this.wakeUp.listen(kind.topic, worker);
    return worker;
  }

  /** Whether the process is about to stop: nothing new is begun. */
  get stopping(): boolean {
    return this.stops;
  }

  /** For what is stored with a lease, and is then given to `JobWorker.run`. */
  newLease(): string {
    return this.presence.newLease();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stops = true;
    const stopped = Promise.all(this.workers.map((worker) => worker.stop()));
    await withDeadline(this.clock, DRAIN_MS, () => stopped).catch(() => undefined); // what is left waits for its lease to end
  }
}
