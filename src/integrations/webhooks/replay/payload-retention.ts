import { Inject, Injectable, Logger } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';

const DAY_MS = 86_400_000;
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
  private clearedUntil = firstIdOf(0);

  constructor(
    private readonly dataSource: DataSource,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'retentionDays' | 'workers'>,
  ) {}

  @Interval('webhook-retention', EVERY_MS)
  async tick(): Promise<void> {
    if (!this.settings.workers || this.running) return;
    this.running = true;
    try {
      await this.sweep();
    } catch (error) {
      this.logger.warn(
        `Old payloads could not be removed, the next hour tries again: ${error instanceof Error ? error.message : String(error)}`,
      );
    } finally {
      this.running = false;
    }
  }

  /** @returns how many payloads and rows are gone */
  async sweep(): Promise<{ payloads: number; rows: number }> {
    const { retentionDays } = this.settings;
    const now = this.clock.now();
    const payloadsBefore = firstIdOf(now - retentionDays * DAY_MS);
    const rowsBefore = firstIdOf(now - retentionDays * ROW_FACTOR * DAY_MS);
    const settled = `status IN ('completed', 'dead') AND id < $1::uuid`;
    const clearing = `${settled} AND id >= $2::uuid AND body IS NOT NULL`;
    const payloads = await this.inBatches('webhook_events', `UPDATE webhook_events SET body = NULL, headers = '{}'`, clearing, [
      payloadsBefore,
      this.clearedUntil,
    ]);
    this.clearedUntil = payloadsBefore;
    const rows = await this.inBatches('webhook_events', 'DELETE FROM webhook_events', settled, [rowsBefore]);
    await this.inBatches('object_marks', 'DELETE FROM object_marks', 'updated_at < now() - make_interval(days => $1::int)', [
      retentionDays * ROW_FACTOR,
    ]);
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

/** The lowest UUIDv7 of a moment: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7 */
function firstIdOf(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}
