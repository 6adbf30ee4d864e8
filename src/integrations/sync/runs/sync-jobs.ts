import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { CLOCK, type Clock } from '../../../clock';
import { IntegrationError } from '../../../errors';
import { ConnectionRepository, IntegrationEvents, toRef, type Connection } from '../../connections';
import {
  faultOf,
  JobEngine,
  type Claim,
  type ClaimRequest,
  type JobKind,
  type JobOptions,
  type JobWorker,
  type NextTry,
  type Waiting,
} from '../../jobs';
import type { PageProgress, WalkJob } from '../pages/resource-walker';
import { changesByResource } from '../records/record-change-events';
import { WatchService } from '../watches/watch.service';
import { RunOutcome } from './run-outcome';
import { RunParts } from './run-parts';
import { accessEnded, syncError } from './run-policy';
import type { SyncRun } from './sync-run';
import { SyncRunRepository, type ClaimedRun } from './sync-run.repository';

/** Runs of one provider at the same time in one process. */
export const RUNS_PER_PROVIDER = 4;
/** Starts of a run without a single page stored in between, until it fails. */
const MAX_ATTEMPTS = 6;
/** Waits for another try of a call that are as long as this are shown, ms. */
const SHOWN_WAIT_MS = 2_000;

/** Runs as jobs: one at a time of a connection, a few of a provider, so that a slow provider leaves room for the others. */
@Injectable()
export class SyncJobs implements JobKind<ClaimedRun>, OnApplicationBootstrap {
  readonly topic = 'sync';
  readonly options: JobOptions = {
    concurrency: 8,
    leaseSeconds: 30,
    maxAttempts: MAX_ATTEMPTS,
    backOff: { firstMs: 2_000, maxMs: 15 * 60_000 },
  };
  worker?: JobWorker<ClaimedRun>;
  private readonly logger = new Logger('sync');

  constructor(
    private readonly runs: SyncRunRepository,
    private readonly connections: ConnectionRepository,
    private readonly parts: RunParts,
    private readonly outcome: RunOutcome,
    private readonly watches: WatchService,
    private readonly events: IntegrationEvents,
    private readonly engine: JobEngine,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    this.worker = this.engine.start(this);
  }

  /** Stops what this process does for a connection; other processes notice at their next page, or when they extend the lease. */
  cancel(connectionId: string): void {
    this.worker?.abort((run) => run.connectionId === connectionId, new IntegrationError('cancelled'));
  }

  async claim({ held, leaseSeconds, newLease }: ClaimRequest<ClaimedRun>): Promise<Claim<ClaimedRun>> {
    const providers = held.map(({ provider }) => provider);
    const full = [...new Set(providers)].filter((name) => providers.filter((provider) => provider === name).length >= RUNS_PER_PROVIDER);
    const run = await this.runs.claim(newLease(), leaseSeconds, full);
    return run ? { jobs: [run], more: true } : { jobs: [], more: false };
  }

  waiting(): Promise<Waiting> {
    return this.runs.waiting();
  }

  endLeases(alive: readonly string[]): Promise<void> {
    return this.runs.endLeases(alive);
  }

  async run(run: ClaimedRun, signal: AbortSignal): Promise<void> {
    try {
      const connection = await this.connections.findById(run.connectionId);
      if (!connection || connection.status === 'disconnected') throw new IntegrationError('cancelled');
      if (connection.status === 'needs_reauth') throw new IntegrationError('needs_reauth');
      if (run.attempts > MAX_ATTEMPTS)
        throw new IntegrationError('internal_error', { retryable: false, detail: 'The sync was interrupted again and again.' });
      const onPage = (page: PageProgress) => {
        run.attempts = 1; // it goes on: its tries count from here
        this.tell(run, connection, page);
      };
      const onWait = (error: IntegrationError, waitMs: number) => {
        // Only shown: a run whose wait could not be written down goes on.
        if (waitMs >= SHOWN_WAIT_MS) void this.runs.noteWait(run, error, waitMs).catch(() => undefined);
      };
      const job: WalkJob = { run, connection: toRef(connection), signal, onPage, onWait };
      const { end, readable, listed, learned } = await this.parts.walk(job);
      await this.outcome.end(run, end, learned);
      if (end.status === 'succeeded') await this.watches.ensure(job.connection, { listed, readable }, signal);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    }
  }

  traces({ traceparent }: ClaimedRun): Iterable<string | undefined> {
    return [traceparent ?? undefined];
  }

  async failed(run: ClaimedRun, cause: unknown, next: NextTry): Promise<void> {
    const error = syncError(cause);
    const told = { code: error.code, message: error.message };
    if (error.code === 'cancelled') return this.outcome.end(run, { status: 'cancelled', error: told });
    if (error.code === 'internal_error') this.logger.error({ msg: 'A sync failed unexpectedly.', runId: run.id, ...faultOf(error.cause) });
    if (next === 'dead' || !error.retryable || accessEnded(error)) return this.outcome.end(run, { status: 'failed', error: told });
    await this.runs.putBack(run, { waitMs: next.waitMs, error: told });
  }

  release(run: ClaimedRun): Promise<void> {
    return this.runs.putBack(run, { attemptCounts: false });
  }

  async extend(runs: readonly ClaimedRun[], leaseSeconds: number): Promise<readonly ClaimedRun[]> {
    const ours = await this.runs.extend(runs, leaseSeconds);
    return runs.filter(({ id }) => !ours.has(id));
  }

  private tell(run: SyncRun, connection: Connection, page: PageProgress): void {
    const { tenant, provider, id: connectionId } = connection;
    const common = { tenant, provider, connectionId, at: new Date(this.clock.now()) };
    this.events.emit({
      ...common,
      type: 'sync.progress',
      data: { runId: run.id, resource: page.resource, fetched: page.fetched, ...(page.total !== undefined && { total: page.total }) },
    });
    for (const changed of changesByResource(page.resource, page.counts)) {
      if (changed.created + changed.updated + changed.deleted === 0) continue;
      this.events.emit({ ...common, type: 'records.changed', data: { ...changed, partition: page.partition } });
    }
  }
}
