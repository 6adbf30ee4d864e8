import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DataSource, type EntityManager } from 'typeorm';
import { v7 as uuidv7 } from 'uuid';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { inTransaction, type RowOf } from '../../../database';
import { CONNECTIONS, type Connection } from '../../connections';
import { PeriodicTasks } from '../../jobs';
import { RecordCompactor } from '../records/record-compactor';
import { ScheduleRepository } from './schedule.repository';
import type { SyncScheduleEntity } from './sync-schedule.entity';
import { nextSlot } from './schedule-slots';
import { PRIORITY } from './sync-run';
import type { SyncType } from './sync-run.entity';
import { SyncService } from './sync.service';
import { WalkRepository } from '../pages/walk.repository';
import { WatchService } from '../watches/watch.service';

const TICK_MS = 5_000;
const TEND_MS = 60_000;
const TIDY_MS = 60 * 60_000;
/** Connections in one transaction. */
const BATCH = 500;
/** Connections in one tick; the rest is due at the next. */
const MAX_BATCHES = 20;
const LOST_WALK_MS = 24 * 60 * 60_000;

type DueRow = RowOf<SyncScheduleEntity> & Pick<Connection, 'tenant' | 'provider' | 'status'> & { now: Date };

interface Planned {
  readonly due: DueRow;
  readonly type: SyncType;
  readonly slot: string;
  readonly nextIncremental: Date;
  readonly nextFull: Date;
}

/** The clock of the syncs. `@nestjs/schedule` is only the tick; what is due stands in `sync_schedules`, and any process may take it. */
@Injectable()
export class SyncScheduler {
  constructor(
    private readonly dataSource: DataSource,
    private readonly schedules: ScheduleRepository,
    private readonly walks: WalkRepository,
    private readonly compactor: RecordCompactor,
    private readonly watches: WatchService,
    private readonly service: SyncService,
    private readonly periodic: PeriodicTasks,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'syncIncrementalSeconds' | 'syncFullSeconds'>,
  ) {}

  @Interval('sync-scheduler', TICK_MS)
  tick(): Promise<void> {
    return this.periodic.run('sync-scheduler', (signal) => this.queueDue(signal));
  }

  @Interval('sync-watches', TEND_MS)
  tend(): Promise<void> {
    return this.periodic.run('sync-watches', (signal) => this.watches.renewExpiring(signal));
  }

  @Interval('sync-tidy', TIDY_MS)
  tidy(): Promise<void> {
    return this.periodic.run('sync-tidy', async (signal) => {
      for (const id of await this.schedules.unscheduled(10_000)) await this.schedules.enable(id);
      await this.walks.forgetLostWalks(this.dataSource, LOST_WALK_MS);
      await this.compactor.compact(signal);
    });
  }

  /** Queues a run for each connection that is due. @returns how many connections were due */
  async queueDue(signal?: AbortSignal): Promise<number> {
    let total = 0;
    for (let batch = 0; batch < MAX_BATCHES && !signal?.aborted; batch++) {
      const { due, queued } = await inTransaction(this.dataSource, (manager) => this.takeBatch(manager));
      total += due;
      if (queued > 0) this.service.wake();
      if (due < BATCH) break;
    }
    return total;
  }

  private async takeBatch(manager: EntityManager): Promise<{ due: number; queued: number }> {
    const rows = await manager.query<
      DueRow[]
    >(`SELECT s.*, c.tenant, c.provider, c.status, now() AS now FROM sync_schedules s JOIN ${CONNECTIONS} c ON c.id = s.connection_id
       WHERE s.enabled AND s.next_due_at <= now() ORDER BY s.next_due_at LIMIT ${BATCH} FOR UPDATE OF s SKIP LOCKED`);
    if (rows.length === 0) return { due: 0, queued: 0 };
    const lost = rows.filter((row) => row.status !== 'connected').map((row) => row.connection_id);
    if (lost.length > 0) await manager.query('UPDATE sync_schedules SET enabled = false WHERE connection_id = ANY($1)', [lost]);
    const planned = rows
      .filter((row) => row.status === 'connected')
      .sort((a, b) => (a.connection_id < b.connection_id ? -1 : 1)) // one order for all who write several connections
      .map((row) => this.plan(row));
    await this.move(manager, planned);
    return { due: rows.length, queued: await this.insert(manager, planned) };
  }

  /** The slot is named by the due time that stands in the row, so every process names it alike, whatever its own clock says. */
  private plan(due: DueRow): Planned {
    const now = due.now.getTime();
    const full = due.next_full_at.getTime() <= now;
    const dueAt = full ? due.next_full_at : due.next_incremental_at;
    return {
      due,
      type: full ? 'full' : 'incremental',
      slot: `${full ? 'full' : 'incremental'}@${dueAt.toISOString()}`,
      nextIncremental: new Date(nextSlot(due.connection_id, now, due.incremental_seconds ?? this.settings.syncIncrementalSeconds)),
      nextFull: full ? new Date(nextSlot(due.connection_id, now, due.full_seconds ?? this.settings.syncFullSeconds)) : due.next_full_at,
    };
  }

  private async move(manager: EntityManager, planned: readonly Planned[]): Promise<void> {
    await manager.query(
      `UPDATE sync_schedules s SET next_incremental_at = n.incremental, next_full_at = n.full_at, next_due_at = least(n.incremental, n.full_at)
       FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS n(id, incremental, full_at) WHERE s.connection_id = n.id`,
      [
        planned.map(({ due }) => due.connection_id),
        planned.map(({ nextIncremental }) => nextIncremental),
        planned.map(({ nextFull }) => nextFull),
      ],
    );
  }

  /** A connection with a run under way needs none; but one that does more than that run comes after it, or in its place. */
  private async insert(manager: EntityManager, planned: readonly Planned[]): Promise<number> {
    const rows = await manager.query<{ connection_id: string }[]>(
      `INSERT INTO sync_runs (id, connection_id, tenant, provider, type, trigger, status, slot, priority)
       SELECT r.id, r.connection_id, r.tenant, r.provider, r.type, 'schedule', 'queued', r.slot, $7
       FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[]) AS r(id, connection_id, tenant, provider, type, slot)
       ON CONFLICT DO NOTHING RETURNING connection_id`,
      [
        planned.map(() => uuidv7()),
        planned.map(({ due }) => due.connection_id),
        planned.map(({ due }) => due.tenant),
        planned.map(({ due }) => due.provider),
        planned.map(({ type }) => type),
        planned.map(({ slot }) => slot),
        PRIORITY.schedule,
      ],
    );
    const queued = new Set(rows.map((row) => row.connection_id));
    const missed = planned.filter(({ due }) => !queued.has(due.connection_id));
    const narrow = await this.ofRunsForSome(manager, missed);
    for (const { due, type, slot } of missed) {
      if (type === 'full' || narrow.has(due.connection_id))
        await this.service.request(due.connection_id, { type, slot, trigger: 'schedule' }, manager);
    }
    return rows.length;
  }

  /** The connections whose run under way is about some of the resources only. */
  private async ofRunsForSome(manager: EntityManager, planned: readonly Planned[]): Promise<ReadonlySet<string>> {
    if (planned.length === 0) return new Set();
    const rows = await manager.query<{ connection_id: string }[]>(
      `SELECT DISTINCT connection_id FROM sync_runs WHERE connection_id = ANY($1) AND status IN ('queued', 'running') AND after_run IS NULL AND resources <> '{}'`,
      [planned.map(({ due }) => due.connection_id)],
    );
    return new Set(rows.map((row) => row.connection_id));
  }
}
