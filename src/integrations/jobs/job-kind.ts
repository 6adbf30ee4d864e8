import type { BackOffOptions } from '../../back-off';
import type { Topic } from './wake-up/wake-up';

/** A job in the hands of this process, until its lease ends. What a kind claims in one piece (a batch with one lease) is one job too. */
export interface ClaimedJob {
  readonly id: string;
  /**
   * The fencing number of this claim, new with each: whatever writes the outcome names it, so that somebody whose lease has ended
   * changes nothing.
   */
  readonly lease: string | number;
  /** Tries so far, this one included. A batch, whose jobs count their own, says 1. */
  readonly attempts: number;
}

export interface ClaimRequest<J extends ClaimedJob> {
  /** Jobs at most. */
  readonly room: number;
  /** What this process has in work already, for strategies that are fair by tenant, by destination or by provider. */
  readonly held: readonly J[];
  readonly leaseSeconds: number;
  /** A lease for a column `lease_owner`, new with each call, by which it is known when its process has ended. */
  newLease(): string;
  readonly signal: AbortSignal;
}

export interface Claim<J extends ClaimedJob> {
  readonly jobs: readonly J[];
  /** Whether more may be due: it is claimed again at once if there is room. Whenever a job ends it is claimed again in any case. */
  readonly more: boolean;
}

export interface JobOptions {
  /** Jobs at the same time in this process. */
  readonly concurrency: number;
  /** A lease that is not extended ends after this, s, in the database's time. It is extended three times within. */
  readonly leaseSeconds: number;
  /** Tries until a job that fails is dead. Default: without end. */
  readonly maxAttempts?: number;
  /** The pauses between the tries. */
  readonly backOff: BackOffOptions;
  /** How long a stop lets a job go on before its signal is aborted, ms. Default 0. */
  readonly graceMs?: number;
}

/** What waits to be done, for the metrics. */
export interface Waiting {
  /** Up to `COUNTED_AT_MOST`. */
  readonly count: number;
  /** How long the one that is due longest has been due, s; null where nothing is. */
  readonly oldest: number | null;
}

/** Counting what waits stops here. */
export const COUNTED_AT_MOST = 100_000;

/** What becomes of a job that failed: another try after a pause, ms, or none. */
export type NextTry = { readonly waitMs: number } | 'dead';

/**
 * A kind of job: rows of one table with a status, attempts, a lease and a next time. It brings the statements; when they are made is the
 * engine's: it claims when woken, runs side by side, extends the leases of what is in work, computes pauses, and drains at a stop.
 *
 * What to implement:
 * - the claiming statement in a `*.queries.ts`, with its reason and its figure; `FOR UPDATE SKIP LOCKED`, a new lease, and `now()` of the
 *   database for leases and due times. It also takes jobs whose lease has ended, as their worker is gone,
 *   unless `prepare` does.
 * - `run`, which writes the outcome under the job's lease, in the transaction of the effect where there is one.
 *
 * @example
 * class ExecutionJobs implements JobKind<UnknownExecution>, OnApplicationBootstrap {
 *   readonly topic = 'actions';
 *   readonly options = { concurrency: 4, leaseSeconds: 60, backOff: { firstMs: 60_000, maxMs: 3_600_000 } };
 *   constructor(private readonly engine: JobEngine, …) {}
 *   onApplicationBootstrap() { this.engine.start(this); }
 *   …
 * }
 */
export interface JobKind<J extends ClaimedJob> {
  /** By which it is woken: `wakeUp.wake(topic)` after the commit that made the work. */
  readonly topic: Topic;
  readonly options: JobOptions;
  /**
   * Called when it is woken, beside the first claim, for what the claiming statement does not see by itself: jobs whose lease has ended,
   * or rows that only become jobs.
   * @returns whether there may be more to claim now
   */
  prepare?(): Promise<boolean>;
  /**
   * Ends the leases of processes that have ended: those `OF_ENDED_PROCESS`. Called every few seconds, before `prepare`. Absent where
   * what a dead process held waits for its lease.
   * @param alive the signs of the processes that live
   */
  endLeases?(alive: readonly string[]): Promise<void>;
  /** Of all processes. */
  waiting?(): Promise<Waiting>;
  /**
   * Whether the room that ended jobs have left is worth a claim now, where nobody has woken the worker: asked before such a claim.
   * Default: it is. What is left for later is found when the next job ends, by a wake-up, and by the sweeper's within 2 s.
   */
  wantsMore?(): boolean;
  /** The strategy. Never called twice at the same time in one process. */
  claim(request: ClaimRequest<J>): Promise<Claim<J>>;
  /**
   * Does the job and writes its outcome. Resolves when that is done; rejects where it could not be: the engine then calls `failed`, or
   * `release` where the process stops or the error is a `GivenBackError`: it was not tried. The signal is aborted with a `LeaseLostError` when somebody else has the job (nothing may be
   * written any more), and with `shutting_down` at a stop after the grace.
   */
  run(job: J, signal: AbortSignal): Promise<void>;
  /** Writes that a try failed, under the job's lease. A kind whose jobs are batches leaves it to the end of the lease. */
  failed(job: J, error: unknown, next: NextTry): Promise<void>;
  /** Gives a job back that was not tried, or not to its end, because of us: the attempt does not count. Under the job's lease. */
  release(job: J): Promise<void>;
  /** Where what the job is about was made, as `traceInHand` said it; asked where something is traced. */
  traces?(job: J): Iterable<string | undefined>;
  /**
   * Extends the leases of all that is in work, in one statement. Absent where no job can outlast its lease.
   * @returns those that are not ours any more
   */
  extend?(jobs: readonly J[], leaseSeconds: number): Promise<readonly J[]>;
}
