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
    let deleted = 0;
    for (const [table, retention] of Object.entries(RETENTIONS)) {
      if ('column' in retention) deleted += await this.deleteOld(table, retention, signal);
      if ('partitionedDays' in retention) deleted += await this.endOld(table, retention, signal);
    }
    // A server vacuums by itself, the embedded database does not: without this its files only grow.
    if (deleted > 0 && this.database.kind === 'embedded' && !signal?.aborted) await this.dataSource.query('VACUUM');
  }

  /** What lies in no partition that is over is deleted where it came before any was made. */
  private async endOld(table: string, { partitionedDays }: PartitionedRetention, signal?: AbortSignal): Promise<number> {
    const overMs = this.clock.now() - partitionedDays(this.settings.retentionDays) * DAY_MS;
    const partitions = await timePartitions(this.dataSource, table);
    for (const over of partitionsOver(partitions, overMs)) if (!signal?.aborted) await dropPartition(this.dataSource, over);
    return this.inBatches(
      `DELETE FROM ${table} WHERE id = ANY(ARRAY(SELECT id FROM ${table} WHERE id < $1::uuid LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))`,
      firstIdOf(deletedUpTo(partitions, overMs)),
      signal,
    );
  }

  private deleteOld(table: string, { column, days, only = 'true' }: TableRetention, signal?: AbortSignal): Promise<number> {
    return this.inBatches(
      `DELETE FROM ${table} WHERE ctid = ANY(ARRAY(
         SELECT ctid FROM ${table} WHERE ${column} < now() - make_interval(days => $1::int) AND ${only} LIMIT ${BATCH} FOR UPDATE SKIP LOCKED))`,
      days(this.settings.retentionDays),
      signal,
    );
  }

  private async inBatches(sql: string, bound: unknown, signal?: AbortSignal): Promise<number> {
    let total = 0;
    while (!signal?.aborted) {
      const [, deleted] = (await this.dataSource.query(sql, [bound])) as [unknown, number];
      total += deleted;
      if (deleted < BATCH) break;
      await this.clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
    return total;
  }
}
