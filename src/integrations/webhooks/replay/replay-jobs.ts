import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { inTransaction } from '../../../database';
import {
  JobEngine,
  LeaseLostError,
  WakeUp,
  type Claim,
  type ClaimedJob,
  type ClaimRequest,
  type JobKind,
  type JobWorker,
  type NextTry,
  type Waiting,
} from '../../jobs';
import {
  BATCH,
  CLAIM_RUNS,
  END_RUN,
  END_RUN_LEASES,
  EXTEND_RUNS,
  HOLD_RUN,
  LIVE_AT_MOST,
  LIVE_WAITING,
  NOTE_STEP,
  putBack,
  RELEASE_RUN,
  RUN_FAILED,
  RUNS_WAITING,
  TAKE_OUTCOMES,
  YIELD_RUN,
} from './replay-run.queries';
import { askedFor } from './replayable';
import type { EventFilter } from './webhook-event.list';

interface ReplayJob extends ClaimedJob {
  readonly filter: EventFilter;
  /** The last event that was counted. */
  readonly last: string;
}

interface RunRow {
  id: string;
  lease_owner: string | null;
  attempts: number;
  filter: EventFilter;
  last_id: string | null;
}

type Step = 'put_back' | 'in_work' | 'held_back' | 'ended';

/** Until the next look at a batch that is in work, and at one that waits for others, ms. */
const PAUSES_MS: Readonly<Record<Exclude<Step, 'ended'>, number>> = { put_back: 50, in_work: 100, held_back: 500 };

/** So long a run is in work before the next one has its place, ms: one of a million events leaves the others their turn. */
const TURN_MS = 10_000;

/**
 * Replays as jobs: a batch goes back into the inbox, and the next one when that has its outcome and what comes in now does not wait.
 * Each step is a transaction under the run's lease: a process that dies in between loses nothing, and counts nothing twice. From there
 * on the events go the way of all others, with the same promise.
 */
@Injectable()
export class ReplayJobs implements JobKind<ReplayJob>, OnApplicationBootstrap {
  readonly topic = 'replays';
  readonly options = { concurrency: 4, leaseSeconds: 30, backOff: { firstMs: 1_000, maxMs: 60_000 } };
  worker?: JobWorker<ReplayJob>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly engine: JobEngine,
    private readonly wakeUp: WakeUp,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.worker = this.engine.start(this);
  }

  async waiting(): Promise<Waiting> {
    const [row] = await this.dataSource.query<Waiting[]>(RUNS_WAITING);
    return row ?? { count: 0, oldest: null };
  }

  async endLeases(alive: readonly string[]): Promise<void> {
    await this.dataSource.query(END_RUN_LEASES, [alive]);
  }

  async claim({ room, leaseSeconds, newLease }: ClaimRequest<ReplayJob>): Promise<Claim<ReplayJob>> {
    const jobs: ReplayJob[] = [];
    // A lease each: they end one by one.
    while (jobs.length < room) {
      const [row] = await this.dataSource.query<RunRow[]>(CLAIM_RUNS, [1, newLease(), leaseSeconds]);
      const { lease_owner: lease, last_id: last } = row ?? {};
      if (!row || !lease || !last) return { jobs, more: false };
      jobs.push({ id: row.id, lease, attempts: row.attempts, filter: row.filter, last });
    }
    return { jobs, more: true };
  }

  async run(job: ReplayJob, signal: AbortSignal): Promise<void> {
    const turnEnds = this.clock.now() + TURN_MS;
    for (;;) {
      signal.throwIfAborted();
      const step = await inTransaction(this.dataSource, (manager) => this.step(manager, job));
      if (step === 'ended') return;
      if (step === 'put_back') this.wakeUp.wake('webhooks');
      await this.clock.sleep(PAUSES_MS[step], signal);
      if (this.clock.now() >= turnEnds) return void (await this.dataSource.query(YIELD_RUN, [job.id, job.lease]));
    }
  }

  async failed({ id, lease }: ReplayJob, _: unknown, next: NextTry): Promise<void> {
    await this.dataSource.query(RUN_FAILED, [id, lease, next === 'dead' ? this.options.backOff.maxMs : next.waitMs]);
  }

  async release({ id, lease }: ReplayJob): Promise<void> {
    await this.dataSource.query(RELEASE_RUN, [id, lease]);
  }

  async extend(jobs: readonly ReplayJob[], leaseSeconds: number): Promise<readonly ReplayJob[]> {
    const rows = await this.dataSource.query<Pick<RunRow, 'lease_owner'>[]>(EXTEND_RUNS, [jobs.map(({ lease }) => lease), leaseSeconds]);
    const kept = new Set(rows.map(({ lease_owner }) => lease_owner));
    return jobs.filter(({ lease }) => !kept.has(lease as string));
  }

  private async step(manager: EntityManager, job: ReplayJob): Promise<Step> {
    const [run] = await manager.query<{ state: string; after_id: string | null }[]>(HOLD_RUN, [job.id, job.lease]);
    if (!run?.after_id) throw new LeaseLostError('The run is not this worker’s any more.');
    const [outcomes] = await manager.query<{ done: number; failed: number; inWork: boolean }[]>(TAKE_OUTCOMES, [job.id]);
    const { done = 0, failed = 0, inWork = false } = outcomes ?? {};
    const isOver = run.state === 'cancelling' || run.after_id >= job.last;
    const waits = inWork || isOver || (await this.liveWaits(manager));
    const batch = waits ? undefined : await this.putBackNext(manager, job, run.after_id);
    // A short batch is the last one: nothing before the end matches any more.
    const after = batch === undefined ? run.after_id : batch.count < BATCH ? job.last : (batch.last ?? job.last);
    await manager.query(NOTE_STEP, [job.id, job.lease, done, failed, after]);
    if (inWork) return 'in_work';
    if (isOver || (batch?.count === 0 && after >= job.last)) {
      await manager.query(END_RUN, [job.id, job.lease]);
      return 'ended';
    }
    return batch === undefined ? 'held_back' : 'put_back';
  }

  private async liveWaits(manager: EntityManager): Promise<boolean> {
    const [waiting] = await manager.query<{ count: number }[]>(LIVE_WAITING);
    return (waiting?.count ?? 0) >= LIVE_AT_MOST;
  }

  private async putBackNext(manager: EntityManager, { id, filter, last }: ReplayJob, after: string) {
    const { sql: where, params } = askedFor(filter);
    const [batch] = await manager.query<{ count: number; last: string | null }[]>(putBack(where, params.length + 1), [
      ...params,
      id,
      after,
      last,
    ]);
    return batch ?? { count: 0, last: null };
  }
}
