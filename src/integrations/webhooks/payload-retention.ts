import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { SETTINGS } from '../../config/config.module';
import type { Settings } from '../../config/env';

const EVERY_MS = 3_600_000;
const BATCH = 500;
/** Batches of one hour. */
const MAX_BATCHES = 400;
/** An event without its payload is kept this many times longer: it is what makes a late redelivery a duplicate. */
const ROW_FACTOR = 3;

/** Ends what is kept for a time only: payloads first, then the rows, in batches that hold nobody up. */
@Injectable()
export class PayloadRetention {
  private readonly logger = new Logger('webhooks');
  private running = false;
  /** Payloads that were received before are gone already: not looked at again until the next start. */
  private clearedUntil?: Date;

  constructor(
    private readonly dataSource: DataSource,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'retentionDays' | 'workers'>,
  ) {}

  @Interval('webhook-retention', EVERY_MS)
  async tick(): Promise<void> {
    if (!this.settings.workers || this.running) return;
    this.running = true;
    try {
      await this.sweep();
    } catch (error) {
      this.logger.warn(`Old payloads could not be removed, the next hour tries again: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.running = false;
    }
  }

  /** @returns how many payloads and rows are gone */
  async sweep(): Promise<{ payloads: number; rows: number }> {
    const { retentionDays } = this.settings;
    const [limits] = await this.dataSource.query<{ payloads: Date; rows: Date }[]>(
      'SELECT now() - make_interval(days => $1::int) AS payloads, now() - make_interval(days => $2::int) AS rows',
      [retentionDays, retentionDays * ROW_FACTOR],
    );
    if (!limits) return { payloads: 0, rows: 0 };
    const settled = `status IN ('completed', 'dead') AND received_at < $1`;
    const from = this.clearedUntil ?? new Date(0);
    const payloads = await this.inBatches('webhook_events', `UPDATE webhook_events SET body = NULL, headers = '{}'`, `${settled} AND received_at >= $2 AND body IS NOT NULL`, [limits.payloads, from]);
    this.clearedUntil = limits.payloads;
    const rows = await this.inBatches('webhook_events', 'DELETE FROM webhook_events', settled, [limits.rows]);
    await this.inBatches('object_guards', 'DELETE FROM object_guards', 'updated_at < $1', [limits.rows]);
    await this.dataSource.query('DELETE FROM webhook_refusals WHERE minute < now() - make_interval(days => $1::int)', [retentionDays]);
    return { payloads, rows };
  }

  private async inBatches(table: string, change: string, condition: string, params: readonly unknown[]): Promise<number> {
    let total = 0;
    for (let batch = 0; batch < MAX_BATCHES; batch++) {
      const [counted] = await this.dataSource.query<{ n: number }[]>(
        `WITH old AS MATERIALIZED (SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${BATCH} FOR UPDATE SKIP LOCKED),
           gone AS (${change} WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1)
         SELECT count(*)::int AS n FROM gone`,
        [...params],
      );
      const n = counted?.n ?? 0;
      total += n;
      if (n < BATCH) break;
    }
    return total;
  }
}
