import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { backOffMs } from '../../../back-off';
import { changedRows, type RowOf } from '../../../database';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { CONNECTIONS } from '../../connections';
import type { SyncScheduleEntity } from './sync-schedule.entity';
import { nextSlot } from './schedule-slots';

type ScheduleRow = Pick<RowOf<SyncScheduleEntity>, 'incremental_seconds' | 'failures'> & { now: Date };

/** Longest pause between tries of a failing connection. */
const LONGEST_PAUSE_S = 86_400;

/** When each connection is due. Times are the database's. */
@Injectable()
export class ScheduleRepository {
  constructor(
    private readonly dataSource: DataSource,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'syncIncrementalSeconds' | 'syncFullSeconds'>,
  ) {}

  /** Makes or revives the schedule of a connected connection. */
  async enable(connectionId: string): Promise<void> {
    const now = await this.now();
    const { syncIncrementalSeconds, syncFullSeconds } = this.settings;
    const incremental = nextSlot(connectionId, now, syncIncrementalSeconds);
    // The sync of the connecting itself is a full one: the next belongs into the second half of the interval, or the one after.
    const full = nextSlot(connectionId, now + syncFullSeconds * 500, syncFullSeconds);
    await this.dataSource.query(
      `INSERT INTO sync_schedules AS s (connection_id, next_incremental_at, next_full_at, next_due_at) VALUES ($1, $2, $3, least($2::timestamptz, $3::timestamptz))
       ON CONFLICT (connection_id) DO UPDATE SET enabled = true, failures = 0, next_incremental_at = excluded.next_incremental_at,
         next_full_at = greatest(s.next_full_at, excluded.next_incremental_at), next_due_at = excluded.next_incremental_at`,
      [connectionId, new Date(incremental), new Date(full)],
    );
  }

  async disable(connectionId: string): Promise<void> {
    await this.dataSource.query('UPDATE sync_schedules SET enabled = false WHERE connection_id = $1 AND enabled', [connectionId]);
  }

  async succeeded(connectionId: string): Promise<void> {
    await this.dataSource.query('UPDATE sync_schedules SET failures = 0 WHERE connection_id = $1 AND failures > 0', [connectionId]);
  }

  /** Doubles the pause with each failure in a row. */
  async failed(connectionId: string): Promise<void> {
    const [row] = await changedRows<ScheduleRow>(
      this.dataSource,
      `UPDATE sync_schedules SET failures = failures + 1 WHERE connection_id = $1 RETURNING incremental_seconds, failures, now() AS now`,
      [connectionId],
    );
    if (!row) return;
    const interval = row.incremental_seconds ?? this.settings.syncIncrementalSeconds;
    // Beside the pause that there is anyway: none after the first failure.
    const [everyMs, mostMs] = [interval * 1_000, Math.max(LONGEST_PAUSE_S, interval) * 1_000];
    const pauseMs = backOffMs(row.failures, { firstMs: everyMs, maxMs: everyMs + mostMs, jitter: 0 }) - everyMs;
    const incremental = new Date(nextSlot(connectionId, row.now.getTime() + pauseMs, interval));
    await this.dataSource.query(
      `UPDATE sync_schedules SET next_incremental_at = greatest(next_incremental_at, $2), next_full_at = greatest(next_full_at, $2),
         next_due_at = greatest(next_due_at, $2) WHERE connection_id = $1 AND failures = $3`,
      [connectionId, incremental, row.failures],
    );
  }

  /** Connections that should have a schedule and have none: the process died between connecting and telling. Reads all of them: rarely. */
  async unscheduled(limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ id: string }[]>(
      `SELECT c.id FROM ${CONNECTIONS} c LEFT JOIN sync_schedules s ON s.connection_id = c.id
       WHERE c.status = 'connected' AND (s.connection_id IS NULL OR NOT s.enabled) LIMIT $1`,
      [limit],
    );
    return rows.map((row) => row.id);
  }

  private async now(): Promise<number> {
    const [row] = await this.dataSource.query<{ now: Date }[]>('SELECT now() AS now');
    return (row as { now: Date }).now.getTime();
  }
}
