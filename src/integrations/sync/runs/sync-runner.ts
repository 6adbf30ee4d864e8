import { Inject, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { inTransaction } from '../../../database';
import { IntegrationError } from '../../../errors';
import {
  ConnectionRepository,
  IntegrationEvents,
  type IntegrationEvent,
  OUTBOX,
  type OutboxPort,
  toRef,
  type Connection,
} from '../../connections';
import { WakeUp } from '../../jobs';
import { ProviderRegistry } from '../../providers';
import { ActiveRuns } from './active-runs';
import { RunLostError } from '../pages/page-store';
import { RecordStore } from '../records/record-store';
import { ResourceWalker, type PageProgress, type WalkJob } from '../pages/resource-walker';
import { accessEnded, faultOf, isPartial, MAX_ATTEMPTS, retryWaitMs, syncError } from './run-policy';
import { ScheduleRepository } from './schedule.repository';
import { change } from '../sql';
import { SyncService } from './sync.service';
import type { SyncRun } from './sync-run';
import { SyncRunRepository, type RunEnd } from './sync-run.repository';
import { WatchService } from '../watches/watch.service';

/** A run whose process is gone is taken over after this, ms; it is renewed three times within. */
export const LEASE_MS = 30_000;
/** Runs at the same time in one process, in all and of one provider. */
export const LANES = 8;
export const LANES_PER_PROVIDER = 4;

type Partitions = ReadonlyMap<string, readonly string[]>;

/** Does what stands in `sync_runs`: claims, walks, hands back. */
@Injectable()
export class SyncRunner implements OnApplicationBootstrap {
  private readonly logger = new Logger(SyncRunner.name);

  constructor(
    private readonly dataSource: DataSource,
    private readonly runs: SyncRunRepository,
    private readonly walker: ResourceWalker,
    private readonly records: RecordStore,
    private readonly service: SyncService,
    private readonly schedules: ScheduleRepository,
    private readonly watches: WatchService,
    private readonly active: ActiveRuns,
    private readonly connections: ConnectionRepository,
    private readonly registry: ProviderRegistry,
    private readonly events: IntegrationEvents,
    private readonly wakeUp: WakeUp,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(OUTBOX) private readonly outbox?: OutboxPort | null,
  ) {}

  onApplicationBootstrap(): void {
    this.wakeUp.listen('sync', (signal) => this.work(signal), { lanes: LANES });
  }

  /** Claims one run and does it to its end. */
  async work(stop: AbortSignal): Promise<'more' | 'idle'> {
    if (stop.aborted) return 'idle';
    const run = await this.runs.claim(LEASE_MS, this.active.providersAt(LANES_PER_PROVIDER));
    if (!run) return 'idle';
    this.wakeUp.wake('sync'); // another lane may find another run
    await this.execute(run, stop);
    return 'more';
  }

  private async execute(run: SyncRun, stop: AbortSignal): Promise<void> {
    const controller = this.active.begin(run.connectionId, run.provider);
    const { signal } = controller;
    const onStop = () => controller.abort(new IntegrationError('shutting_down'));
    stop.addEventListener('abort', onStop, { once: true });
    if (stop.aborted) onStop();
    const beat = this.keepLease(run, controller);
    let stored = 0;
    try {
      const connection = await this.connections.findById(run.connectionId);
      if (!connection || connection.status === 'disconnected') throw new IntegrationError('cancelled');
      if (connection.status === 'needs_reauth') throw new IntegrationError('needs_reauth');
      if (run.attempts > MAX_ATTEMPTS)
        throw new IntegrationError('internal_error', { retryable: false, detail: 'The sync was interrupted again and again.' });
      const job: WalkJob = {
        run,
        connection: toRef(connection),
        signal,
        onPage: (page) => {
          stored++;
          this.tell(run, connection, page);
        },
      };
      await this.records.prepare(run.connectionId);
      const { end, readable, listed } = await this.walkAll(job);
      await this.end(run, end);
      if (end.status === 'succeeded') await this.watches.ensure(job.connection, { listed, readable }, signal);
    } catch (error) {
      await this.settle(run, signal.aborted ? signal.reason : error, stored > 0 ? 1 : run.attempts);
    } finally {
      beat.abort();
      stop.removeEventListener('abort', onStop);
      this.active.end(run.connectionId, controller);
    }
  }

  /** Parts succeed and fail by themselves: what was read counts, and the run has failed only where nothing could be read. */
  private async walkAll(job: WalkJob): Promise<{ end: RunEnd; listed: Partitions; readable: Partitions }> {
    const sync = this.registry.get(job.run.provider).sync;
    if (!sync) throw new IntegrationError('not_supported');
    const wanted = sync.resources.filter(({ name }) => job.run.resources.length === 0 || job.run.resources.includes(name));
    const listed = new Map<string, readonly string[]>();
    const readable = new Map<string, readonly string[]>();
    let failed: RunEnd['error'];
    let blocked: string | undefined;
    for (const resource of wanted) {
      job.signal.throwIfAborted();
      try {
        const { partitions, unreadable, blocked: waiting } = await this.walker.walk(job, resource);
        listed.set(resource.name, partitions);
        if (unreadable.size < partitions.length || partitions.length === 0)
          readable.set(
            resource.name,
            partitions.filter((name) => !unreadable.has(name)),
          );
        const [error] = unreadable.values();
        if (error) failed ??= partError(error, resource.label, partitions.length - unreadable.size, partitions.length);
        if (waiting.length > 0) blocked ??= resource.label;
      } catch (error) {
        const known = syncError(error);
        if (job.signal.aborted || !isPartial(known)) throw error;
        failed ??= partError(known, resource.label);
      }
    }
    if (failed && readable.size === 0) return { end: { status: 'failed', error: failed }, listed, readable };
    const end: RunEnd = blocked === undefined ? { status: 'succeeded', ...(failed && { error: failed }) } : paused(blocked);
    return { end, listed, readable };
  }

  /** Ends a run that did not come to its end by itself. */
  private async settle(run: SyncRun, cause: unknown, attempts: number): Promise<void> {
    if (cause instanceof RunLostError)
      return this.logger.warn({ msg: 'The run was taken over or cancelled; nothing more of it is written here.', runId: run.id });
    const error = syncError(cause);
    const told = { code: error.code, message: error.message };
    try {
      if (error.code === 'shutting_down') return await this.runs.putBack(run, { attemptCounts: false });
      if (error.code === 'cancelled') return await this.end(run, { status: 'cancelled', error: told });
      if (error.code === 'internal_error')
        this.logger.error({ msg: 'A sync failed unexpectedly.', runId: run.id, ...faultOf(error.cause) });
      const waitMs = retryWaitMs(error, attempts);
      if (waitMs === undefined) return await this.end(run, { status: 'failed', error: told });
      await this.runs.putBack(run, { waitMs, error: told });
    } catch (failed) {
      // The lease ends by itself and the run is claimed again: its checkpoints are stored.
      this.logger.warn({ msg: 'A run could not be handed back; its lease will end.', runId: run.id, code: syncError(failed).code });
    }
  }

  private async end(run: SyncRun, end: RunEnd): Promise<void> {
    const finished = await inTransaction(this.dataSource, async (manager) => {
      await this.records.lock(manager, run.connectionId);
      const done = await this.runs.finish(manager, run, end);
      if (!done) return undefined;
      // A later full run answers what an earlier one was waiting for.
      if (run.type === 'full' && (end.status === 'succeeded' || end.status === 'paused')) {
        await change(manager, `UPDATE sync_runs SET status = 'failed' WHERE connection_id = $1 AND status = 'paused' AND id <> $2`, [
          run.connectionId,
          run.id,
        ]);
      }
      const goesOn =
        end.status === 'succeeded' || end.status === 'paused' || (end.status === 'failed' && !(end.error && accessEnded(end.error)));
      if (done.rerun && goesOn) await this.service.request(run.connectionId, { ...done.rerun, trigger: 'webhook' }, manager);
      const event = end.status === 'cancelled' ? undefined : this.eventOf(done.run, end);
      if (event) await this.outbox?.add(manager, [event]);
      return { ...done, event };
    });
    if (!finished) return;
    if (end.status === 'succeeded' || end.status === 'paused') await this.schedules.succeeded(run.connectionId);
    if (end.status === 'failed') await this.schedules.failed(run.connectionId);
    if (finished.rerun) this.wakeUp.wake('sync');
    if (finished.event) this.events.emit(finished.event);
  }

  private eventOf({ id: runId, counts, type, trigger, tenant, provider, connectionId }: SyncRun, end: RunEnd): IntegrationEvent {
    return {
      type: end.status === 'succeeded' ? 'sync.completed' : 'sync.failed',
      tenant,
      provider,
      connectionId,
      at: new Date(this.clock.now()),
      data: { runId, type, trigger, counts, ...(end.error && { error: end.error }) },
    };
  }

  private tell(run: SyncRun, connection: Connection, page: PageProgress): void {
    const { tenant, provider, id: connectionId } = connection;
    const common = { tenant, provider, connectionId, at: new Date(this.clock.now()) };
    const { created, updated, deleted } = page.counts;
    this.events.emit({
      ...common,
      type: 'sync.progress',
      data: { runId: run.id, resource: page.resource, fetched: page.fetched, ...(page.total !== undefined && { total: page.total }) },
    });
    if (created + updated + deleted > 0) {
      this.events.emit({
        ...common,
        type: 'records.changed',
        data: { resource: page.resource, partition: page.partition, created, updated, deleted },
      });
    }
  }

  /** Renews the lease until the returned controller is aborted; a lost one aborts the run. */
  private keepLease(run: SyncRun, controller: AbortController): AbortController {
    const beat = new AbortController();
    const loop = async () => {
      for (;;) {
        await this.clock.sleep(LEASE_MS / 3, beat.signal);
        const held = await this.runs.heartbeat(run, LEASE_MS).catch(() => true); // the database is away: the fence decides later
        if (!held && !beat.signal.aborted) return controller.abort(new RunLostError(`run ${run.id} is no longer held`));
      }
    };
    loop().catch(() => undefined); // aborted
    return beat;
  }
}

/** Names the part: "Calendar events (2 of 3 read): ..." */
function partError(error: IntegrationError, label: string, read = 0, all = 1): NonNullable<RunEnd['error']> {
  return { code: error.code, message: `${label}${all > 1 ? ` (${read} of ${all} read)` : ''}: ${error.message}` };
}

function paused(label: string): RunEnd {
  const { code, message } = new IntegrationError('confirmation_required', {
    detail: `${label}: this would remove more than half of the records.`,
  });
  return { status: 'paused', error: { code, message } };
}
