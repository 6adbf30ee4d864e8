import { Inject, Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { CLOCK, systemClock, type Clock } from '../../clock';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';
import { DatabaseInfo, deletedUpTo, dropPartition, firstIdOf, makePartitionsAhead, partitionsOver, timePartitions } from '../../database';
import { RETENTIONS, type PartitionedRetention, type TableRetention } from './retention-list';

/** Rows a statement: short enough that nobody waits for its locks. */
const BATCH = 5_000;
/** Between two statements, ms: others get their turn. */
const PAUSE_MS = 20;
const DAY_MS = 86_400_000;
/** So many rows that are over in a table are given back to what comes next. */
const DEAD_AT_LEAST = 1_000;

/** Deletes what is older than it is kept for, in short statements, until nothing is overdue; drops partitions that are over, and makes those to come. */
@Injectable()
export class Retention {
  constructor(
    private readonly dataSource: DataSource,
    private readonly database: DatabaseInfo,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'retentionDays'>,
    @Inject(CLOCK) private readonly clock: Clock,
  ) {}

  async sweep(signal?: AbortSignal): Promise<void> {
    // by the clock that makes ids
    await makePartitionsAhead(this.dataSource, this.settings.retentionDays, systemClock.now());
    for (const [table, retention] of Object.entries(RETENTIONS)) {
      if ('column' in retention) await this.deleteOld(table, retention, signal);
      if ('partitionedDays' in retention) await this.endOld(table, retention, signal);
    }
    // A server vacuums by itself, the embedded database does not: without this its files only grow.
    if (this.database.kind === 'embedded') await this.vacuum(signal);
  }

  /** Whoever made rows be over, by a DELETE or an UPDATE. Table by table: everybody waits for as long as one takes. */
  private async vacuum(signal?: AbortSignal): Promise<void> {
    await this.dataSource.query('SELECT pg_stat_force_next_flush()');
    const tables = await this.dataSource.query<{ name: string }[]>(
      `SELECT format('%I.%I', schemaname, relname) AS name FROM pg_stat_user_tables WHERE n_dead_tup >= $1 ORDER BY n_dead_tup`,
      [DEAD_AT_LEAST],
    );
    for (const { name } of tables) {
      if (signal?.aborted) return;
      await this.dataSource.query(`VACUUM ${name}`);
      await this.clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
  }

  /** What lies in no partition that is over is deleted where it came before any was made. */
  private async endOld(table: string, { partitionedDays }: PartitionedRetention, signal?: AbortSignal): Promise<void> {
    const overMs = this.clock.now() - partitionedDays(this.settings.retentionDays) * DAY_MS;
    const partitions = await timePartitions(this.dataSource, table);
    for (const over of partitionsOver(partitions, overMs)) if (!signal?.aborted) await dropPartition(this.dataSource, over);
    return this.inBatches(
      `DELETE FROM ${table} WHERE id = ANY(ARRAY(SELECT id FROM ${table} WHERE id < $1::uuid LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))`,
      firstIdOf(deletedUpTo(partitions, overMs)),
      signal,
    );
  }

  private deleteOld(table: string, { column, days, only = 'true' }: TableRetention, signal?: AbortSignal): Promise<void> {
    return this.inBatches(
      `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM ${table} WHERE ${column} < now() - make_interval(days => $1::int) AND ${only} LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))`,
      days(this.settings.retentionDays),
      signal,
    );
  }

  private async inBatches(sql: string, bound: unknown, signal?: AbortSignal): Promise<void> {
    while (!signal?.aborted) {
      const [, deleted] = (await this.dataSource.query(sql, [bound])) as [unknown, number];
      if (deleted < BATCH) break;
      await this.clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
  }
}
