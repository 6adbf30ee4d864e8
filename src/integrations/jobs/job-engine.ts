import { Inject, Injectable, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { CLOCK, type Clock } from '../../clock';
import { withDeadline } from '../../deadline';
import { asService } from '../../database';
import { readGauge } from '../../metrics';
import { COUNTED_AT_MOST, type ClaimedJob, type JobKind, type Waiting } from './job-kind';
import { JobWorker } from './job-worker';
import { ProcessPresence } from './process-presence';
import { WakeUp } from './wake-up/wake-up';

/** How long a stop waits for what is in work, ms. The lease brings back what does not end by then. */
const DRAIN_MS = 15_000;

/** Starts and drains the workers of all kinds of jobs in this process. */
@Injectable()
export class JobEngine implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly kinds = new Map<string, () => Promise<Waiting>>();
  private readonly unread: (() => void)[] = [];
  private reading?: ReturnType<JobEngine['waiting']>;
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
    if (kind.waiting) this.kinds.set(kind.topic, () => kind.waiting!());
    this.wakeUp.listen(kind.topic, worker);
    return worker;
  }

  onApplicationBootstrap(): void {
    const facts = { labelNames: ['kind'] };
    const read = async (value: (waiting: Waiting) => number) =>
      (await this.waiting()).map(({ kind, waiting }) => ({ labels: { kind }, value: value(waiting) }));
    this.unread.push(
      readGauge(
        {
          ...facts,
          name: 'trestle_jobs_waiting',
          help: `Jobs that wait, of all processes, those whose time has not come included; counted to ${COUNTED_AT_MOST}.`,
        },
        () => read(({ count }) => count),
      ),
      readGauge(
        {
          ...facts,
          name: 'trestle_jobs_oldest_seconds',
          help: 'How long the job that is due longest has been due, of all processes; 0 where none is.',
        },
        () => read(({ oldest }) => Math.max(0, oldest ?? 0)),
      ),
    );
  }

  /** Both gauges are asked at the same time, and read it once. */
  private waiting(): Promise<readonly { readonly kind: string; readonly waiting: Waiting }[]> {
    const all = () => Promise.all([...this.kinds].map(async ([kind, waiting]) => ({ kind, waiting: await waiting() })));
    this.reading ??= asService(all).finally(() => (this.reading = undefined));
    return this.reading;
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
    for (const unread of this.unread) unread();
    const stopped = Promise.all(this.workers.map((worker) => worker.stop()));
    await withDeadline(this.clock, DRAIN_MS, () => stopped).catch(() => undefined); // what is left waits for its lease to end
  }
}
