import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import { PeriodicTasks } from '../../jobs';

const DAY_MS = 86_400_000;
const EVERY_MS = 600_000;
const BATCH = 500;
/** Between two batches, ms: others get their turn. */
const PAUSE_MS = 20;
/** An event without its payload is kept this many times longer: it is what makes a late redelivery a duplicate. */
const ROW_FACTOR = 3;

/** Ends what is kept for a time only: payloads first, then the rows, in batches that hold nobody up. */
@Injectable()
export class PayloadRetention {
  /** Payloads that were received before are gone already: not looked at again until the next start. */
  private clearedUntil = firstIdOf(0);

  constructor(
    private readonly dataSource: DataSource,
    private readonly periodic: PeriodicTasks,
    @Inject(CLOCK) private readonly clock: Clock,
    @Inject(SETTINGS) private readonly settings: Pick<Settings, 'retentionDays'>,
  ) {}

  @Interval('webhook-retention', EVERY_MS)
  tick(): Promise<void> {
    return this.periodic.run('webhook-retention', (signal) => this.sweep(signal));
  }

  /** Until nothing is overdue, or the process stops. @returns how many payloads and rows are gone */
  async sweep(signal?: AbortSignal): Promise<{ payloads: number; rows: number }> {
    const { retentionDays } = this.settings;
    const now = this.clock.now();
    const payloadsBefore = firstIdOf(now - retentionDays * DAY_MS);
    const rowsBefore = firstIdOf(now - retentionDays * ROW_FACTOR * DAY_MS);
    const settled = `status IN ('completed', 'dead') AND id < $1::uuid`;
    const clearing = `${settled} AND id >= $2::uuid AND body IS NOT NULL`;
    const clear = `UPDATE webhook_events SET body = NULL, headers = '{}'`;
    const payloads = await this.inBatches('webhook_events', clear, clearing, [payloadsBefore, this.clearedUntil], signal);
    // Only past what was done: an event that was not settled, or was locked, is found from where it stands.
    if (payloads.complete) this.clearedUntil = await this.oldestLeft(payloadsBefore);
    const rows = await this.inBatches('webhook_events', 'DELETE FROM webhook_events', settled, [rowsBefore], signal);
    const kept = [retentionDays * ROW_FACTOR];
    await this.inBatches('object_marks', 'DELETE FROM object_marks', 'updated_at < now() - make_interval(days => $1::int)', kept, signal);
    return { payloads: payloads.total, rows: rows.total };
  }

  /** From where the next sweep has to look: the first event that still has a payload it should not have. */
  private async oldestLeft(before: string): Promise<string> {
    const [row] = await this.dataSource.query<{ id: string | null }[]>(
      'SELECT id FROM webhook_events WHERE id >= $1::uuid AND id < $2::uuid AND body IS NOT NULL ORDER BY id LIMIT 1',
      [this.clearedUntil, before],
    );
    return row?.id ?? before;
  }

  /** `complete`: nothing is left that the condition finds and nobody holds. */
  private async inBatches(
    table: string,
    change: string,
    condition: string,
    params: readonly unknown[],
    signal?: AbortSignal,
  ): Promise<{ total: number; complete: boolean }> {
    let total = 0;
    while (!signal?.aborted) {
      const [counted] = await this.dataSource.query<{ n: number }[]>(
        `WITH old AS MATERIALIZED (SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${BATCH} FOR UPDATE SKIP LOCKED),
           gone AS (${change} WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1)
         SELECT count(*)::int AS n FROM gone`,
        [...params],
      );
      const n = counted?.n ?? 0;
      total += n;
      if (n < BATCH) return { total, complete: true };
      await this.clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
    return { total, complete: false };
  }
}

/** The lowest UUIDv7 of a moment: https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-7 */
function firstIdOf(ms: number): string {
  const time = Math.max(0, Math.floor(ms)).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}
