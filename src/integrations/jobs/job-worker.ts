import { Logger } from '@nestjs/common';
import type { Histogram } from 'prom-client';
import type { Clock } from '../../clock';
import { asService } from '../../database';
import { IntegrationError } from '../../errors';
import { faultOf } from './fault-of';
import type { ClaimedJob, JobKind } from './job-kind';
import { inSpan, SpanKind } from '../../tracing';
import { jobRuns, jobSeconds } from './job-metrics';
import { GivenBackError } from './given-back-error';
import { LeaseLostError } from './lease-lost-error';
import { nextTry } from './next-try';
import type { Look, ProcessPresence } from './process-presence';

interface Held {
  readonly controller: AbortController;
  /** By the loop: what was handed over takes no place in it. */
  readonly claimed: boolean;
  readonly ended: Promise<void>;
}

/** The loop of one kind in one process: claims, runs, extends, drains. Made by `JobEngine.start`. */
export class JobWorker<J extends ClaimedJob> {
  private readonly logger = new Logger('jobs');
  private readonly held = new Map<J, Held>();
  private readonly stopping = new AbortController();
  private claiming?: Promise<void>;
  private claimAgain = false;
  /** A job has left room since the last claim. */
  private roomLeft = false;
  private extending?: AbortController;
  private lastLook?: Look;
  private readonly seconds: Histogram.Internal<'kind'>;

  constructor(
    private readonly kind: JobKind<J>,
    private readonly clock: Clock,
    private readonly presence: ProcessPresence,
  ) {
    this.seconds = jobSeconds.labels({ kind: kind.topic });
  }

  /** Jobs that are in work in this process. */
  get inWork(): readonly J[] {
    return [...this.held.keys()];
  }

  /** Whether every place is taken. */
  get busy(): boolean {
    return this.room <= 0;
  }

  /** What a wake-up does: looks, and again where preparing has made work. What is there already does not wait for that. */
  async wake(): Promise<void> {
    if (this.stopping.signal.aborted) return;
    await this.endLeases().catch((error: unknown) => this.warn('What dead processes held waits for its leases to end', error));
    const looked = this.look();
    if (await this.prepared()) await this.look();
    await looked;
  }

  /** Looks for work and begins it; does not wait for its end, after which it looks again by itself. */
  look(): Promise<void> {
    this.claimAgain = true;
    return this.claimWhatIsDue();
  }

  /** As `look`, where the kind says that it is worth a claim: a job has left room, before it ends or with its end. */
  refill(): Promise<void> {
    this.roomLeft = true;
    return this.claimWhatIsDue();
  }

  private claimWhatIsDue(): Promise<void> {
    // Whoever's request it was that asked: what is claimed is everybody's.
    this.claiming ??= asService(() => this.claimRounds()).finally(() => {
      this.claiming = undefined;
      if (this.isAsked && !this.stopping.signal.aborted && this.room > 0) void this.claimWhatIsDue(); // was asked for as this one ended
    });
    return this.claiming;
  }

  /**
   * Runs a job that is claimed already (one that was stored with a lease, so as not to wait for a claim): its lease is extended and
   * a stop waits for it like for all others; one that comes after the stop finds its signal aborted. Never rejects.
   */
  run(job: J): Promise<void> {
    return this.hold(job, false);
  }

  /** Aborts the signal of what is in work and matches, e.g. because it was cancelled. */
  abort(matches: (job: J) => boolean, reason: Error = new LeaseLostError('The job was taken from this worker.')): void {
    for (const [job, { controller }] of this.held) if (matches(job)) controller.abort(reason);
  }

  /** Resolves when nothing (of these jobs; default: of all) is in work and nothing more was found. */
  async idle(which: (job: J) => boolean = () => true): Promise<void> {
    const inWork = () => [...this.held].filter(([job]) => which(job)).map(([, { ended }]) => ended);
    while (this.claiming || inWork().length > 0) await Promise.allSettled([this.claiming, ...inWork()]);
  }

  /** Begins nothing new, lets what is in work end within its grace, then aborts it. Resolves when all has ended. */
  async stop(): Promise<void> {
    const reason = new IntegrationError('shutting_down');
    this.stopping.abort(reason);
    const done = new AbortController();
    const cut = () => this.abort(() => true, reason);
    const { graceMs = 0 } = this.kind.options;
    if (graceMs === 0) cut();
    else this.clock.sleep(graceMs, done.signal).then(cut, () => undefined);
    await this.idle();
    done.abort();
    this.extending?.abort();
  }

  private async prepared(): Promise<boolean> {
    try {
      return (await this.kind.prepare?.()) ?? false;
    } catch (error) {
      this.warn('What becomes work could not be prepared', error);
      return false;
    }
  }

  /** Once after each look around. */
  private async endLeases(): Promise<void> {
    if (!this.kind.endLeases) return;
    const look = await this.presence.alive();
    if (!look || look === this.lastLook) return;
    await this.kind.endLeases(look.signs);
    this.lastLook = look;
  }

  private async claimRounds(): Promise<void> {
    const { leaseSeconds } = this.kind.options;
    const { signal } = this.stopping;
    const newLease = () => this.presence.newLease();
    try {
      while (this.isAsked && !signal.aborted && this.room > 0) {
        const isWorthIt = this.claimAgain || (this.kind.wantsMore?.() ?? true);
        this.claimAgain = this.roomLeft = false;
        if (!isWorthIt) continue;
        const { jobs, more } = await this.kind.claim({ room: this.room, held: this.inWork, leaseSeconds, newLease, signal });
        for (const job of jobs) {
          if (signal.aborted) await this.giveBack(job);
          else void this.hold(job, true).then(() => (signal.aborted ? undefined : this.refill()));
        }
        if (more) this.claimAgain = true;
      }
    } catch (error) {
      // The rows are still there: the next wake-up looks again, the sweeper's at the latest.
      this.claimAgain = this.roomLeft = false;
      if (!signal.aborted) this.warn('Looking for work failed', error);
    }
  }

  private hold(job: J, claimed: boolean): Promise<void> {
    const controller = new AbortController();
    if (!claimed && this.stopping.signal.aborted) controller.abort(this.stopping.signal.reason);
    const ended = asService(() => this.attempt(job, controller.signal)).finally(() => this.held.delete(job));
    this.held.set(job, { controller, claimed, ended });
    if (!this.extending) asService(() => this.keepLeases());
    return ended;
  }

  private get isAsked(): boolean {
    return this.claimAgain || this.roomLeft;
  }

  private get room(): number {
    return this.kind.options.concurrency - [...this.held.values()].filter(({ claimed }) => claimed).length;
  }

  private async attempt(job: J, signal: AbortSignal): Promise<void> {
    const stopTimer = this.seconds.startTimer();
    try {
      const attributes = { 'trestle.job.id': job.id, 'trestle.job.attempt': job.attempts };
      const goesOnFrom = () => this.kind.traces?.(job) ?? [];
      await inSpan(`job ${this.kind.topic}`, { kind: SpanKind.CONSUMER, attributes, goesOnFrom }, () => this.kind.run(job, signal));
      this.count('done');
    } catch (error) {
      const lost = [error, signal.reason].find((each) => each instanceof LeaseLostError);
      const stopped = error instanceof GivenBackError || (signal.aborted && this.stopping.signal.aborted);
      this.count(lost ? 'lost' : stopped ? 'given_back' : 'failed');
      if (lost) return this.warn('A job went on elsewhere', lost, job);
      if (stopped) return this.giveBack(job);
      await this.kind
        .failed(job, error, nextTry(error, job.attempts, this.kind.options))
        .catch((cause: unknown) => this.warn('A failure could not be stored, the job waits for its lease to end', cause, job));
    } finally {
      stopTimer();
    }
  }

  private count(outcome: 'done' | 'failed' | 'given_back' | 'lost'): void {
    jobRuns.inc({ kind: this.kind.topic, outcome });
  }

  private giveBack(job: J): Promise<void> {
    return this.kind
      .release(job)
      .catch((error: unknown) => this.warn('A job could not be given back, it waits for its lease to end', error, job));
  }

  /** The heartbeat: as long as anything is in work. */
  private keepLeases(): void {
    if (!this.kind.extend) return;
    const extending = (this.extending = new AbortController());
    const everyMs = (this.kind.options.leaseSeconds * 1_000) / 3;
    const loop = async () => {
      for (;;) {
        await this.clock.sleep(everyMs, extending.signal);
        if (this.held.size === 0) return (this.extending = undefined);
        await this.extendLeases();
      }
    };
    loop().catch(() => undefined); // stopped
  }

  private async extendLeases(): Promise<void> {
    try {
      const lost = await this.kind.extend?.(this.inWork, this.kind.options.leaseSeconds);
      for (const job of lost ?? []) this.held.get(job)?.controller.abort(new LeaseLostError('The lease of the job has ended.'));
    } catch (error) {
      // Without the database no effect can be stored either: the lease decides who goes on.
      this.warn('Leases could not be extended', error);
    }
  }

  private warn(msg: string, error: unknown, job?: J): void {
    const fault = error instanceof LeaseLostError ? { fault: error.message } : faultOf(error);
    this.logger.warn({ msg, kind: this.kind.topic, ...fault, ...(job && { jobId: job.id, attempt: job.attempts }) });
  }
}
