import { Inject, Injectable } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { DataSource, type EntityManager } from 'typeorm';
import { CLOCK, type Clock } from '../../../clock';
import { SETTINGS } from '../../../config/config.module';
import type { Settings } from '../../../config/env';
import {
  deletedUpTo,
  dropPartition,
  firstIdOf,
  inTransaction,
  partitionsOver,
  timePartitions,
  type SqlRunner,
  type TimePartition,
} from '../../../database';
import { PeriodicTasks } from '../../jobs';

const DAY_MS = 86_400_000;
const EVERY_MS = 600_000;
const BATCH = 500;
/** Between two batches, ms: others get their turn. */
const PAUSE_MS = 20;
/** An event without its payload is kept this many times longer: it is what makes a late redelivery a duplicate. */
const ROW_FACTOR = 3;

/** The last mark that was looked at. */
interface MarksStep {
  readonly connection_id: string;
  readonly object_key: string;
}

const MARKS_A_STEP = 2_000;
const FIRST_STEP: MarksStep = { connection_id: '00000000-0000-0000-0000-000000000000', object_key: '' };

/** Where a step ends; nothing for the last one. $1 and $2 the last mark before. */
const NEXT_STEP = `
  SELECT connection_id, object_key FROM object_marks WHERE (connection_id, object_key) > ($1::uuid, $2::text)
  ORDER BY connection_id, object_key OFFSET ${MARKS_A_STEP - 1} LIMIT 1`;

/** What of a step is over. $1 days, $2 and $3 the last mark before, $4 and $5 where it ends. */
const endMarks = (isLast: boolean) => `
  DELETE FROM object_marks WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM object_marks WHERE updated_at < now() - make_interval(days => $1::int) AND (connection_id, object_key) > ($2::uuid, $3::text)
      ${isLast ? '' : 'AND (connection_id, object_key) <= ($4::uuid, $5::text)'} FOR UPDATE SKIP LOCKED))`;

/** Ends what is kept for a time only: payloads first, then the rows, in batches that hold nobody up. */
@Injectable()
export class PayloadRetention {
  /** When marks are looked at again. */
  private marksFrom = 0;

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
    const payloads = await this.endPayloads(now - retentionDays * DAY_MS, signal);
    const rowsBefore = firstIdOf(now - retentionDays * ROW_FACTOR * DAY_MS);
    const rows = await this.deleteRows('webhook_events', `status IN ('completed', 'dead') AND id < $1::uuid`, rowsBefore, signal);
    const kept = retentionDays * ROW_FACTOR;
    await this.endMarks(kept, signal);
    return { payloads, rows };
  }

  /** Partitions as a whole; where an event still waits for one of its payloads, all but those. They are looked at again by the next sweep. */
  private async endPayloads(overMs: number, signal?: AbortSignal): Promise<number> {
    const partitions = await timePartitions(this.dataSource, 'webhook_payloads');
    for (const over of partitionsOver(partitions, overMs))
      if (!signal?.aborted && !(await isAwaited(this.dataSource, over)))
        await dropPartition(this.dataSource, over, (manager) => isAwaited(manager, over));
    const before = firstIdOf(deletedUpTo(partitions, overMs));
    let total = 0;
    let after: string | undefined = firstIdOf(0);
    while (after !== undefined && !signal?.aborted) {
      const { last, ended }: EndedPayloads = await inTransaction(this.dataSource, (manager) => endPayloads(manager, after ?? '', before));
      total += ended;
      after = last;
      if (last !== undefined) await this.clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
    return total;
  }

  /** Read through by their key, once a day: an index of their times would be written with every event. */
  private async endMarks(keptDays: number, signal?: AbortSignal): Promise<void> {
    if (this.clock.now() < this.marksFrom) return;
    let after: MarksStep | undefined = FIRST_STEP;
    while (after && !signal?.aborted) {
      const from: string[] = [after.connection_id, after.object_key];
      const [step]: MarksStep[] = await this.dataSource.query<MarksStep[]>(NEXT_STEP, from);
      const until = step ? [step.connection_id, step.object_key] : [];
      await this.dataSource.query(endMarks(step === undefined), [keptDays, ...from, ...until]);
      after = step;
      if (after) await this.clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
    if (!signal?.aborted) this.marksFrom = this.clock.now() + DAY_MS;
  }

  private async deleteRows(table: string, condition: string, bound: unknown, signal?: AbortSignal): Promise<number> {
    let total = 0;
    while (!signal?.aborted) {
      const [counted] = await this.dataSource.query<{ n: number }[]>(
        `WITH old AS MATERIALIZED (SELECT ctid FROM ${table} WHERE ${condition} LIMIT ${BATCH} FOR UPDATE SKIP LOCKED),
           gone AS (DELETE FROM ${table} WHERE ctid = ANY (ARRAY(SELECT ctid FROM old)) RETURNING 1)
         SELECT count(*)::int AS n FROM gone`,
        [bound],
      );
      const n = counted?.n ?? 0;
      total += n;
      if (n < BATCH) break;
      await this.clock.sleep(PAUSE_MS, signal).catch(() => undefined);
    }
    return total;
  }
}

interface EndedPayloads {
  /** Where the next batch begins; undefined: this was the last one. */
  readonly last?: string;
  readonly ended: number;
}

/**
 * Locks first and looks at the events afterwards, with a second statement that sees what was committed until then: a replay, which
 * holds the payload until its commit, is either seen or finds the payload gone.
 */
async function endPayloads(manager: EntityManager, after: string, before: string): Promise<EndedPayloads> {
  const locked = await manager.query<{ id: string }[]>(
    `SELECT id FROM webhook_payloads WHERE id > $1::uuid AND id < $2::uuid ORDER BY id LIMIT ${BATCH} FOR UPDATE SKIP LOCKED`,
    [after, before],
  );
  const ids = locked.map(({ id }) => id);
  const [gone] = await manager.query<{ n: number }[]>(
    `WITH gone AS (DELETE FROM webhook_payloads WHERE id = ANY ($1::uuid[]) AND id NOT IN (
       SELECT payload_id FROM webhook_events WHERE status IN ('received', 'failed') AND payload_id = ANY ($1::uuid[])
       UNION ALL SELECT payload_id FROM webhook_events WHERE status = 'processing' AND payload_id = ANY ($1::uuid[])) RETURNING 1)
     SELECT count(*)::int AS n FROM gone`,
    [ids],
  );
  return { last: ids.length < BATCH ? undefined : ids.at(-1), ended: gone?.n ?? 0 };
}

/** Events have ids of the same moment as their payloads have. */
async function isAwaited(db: SqlRunner, { fromMs = 0, toMs = 0 }: TimePartition): Promise<boolean> {
  const [row] = await db.query<{ awaited: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM webhook_events WHERE status IN ('received', 'failed') AND id >= $1::uuid AND id < $2::uuid)
       OR EXISTS (SELECT 1 FROM webhook_events WHERE status = 'processing' AND id >= $1::uuid AND id < $2::uuid) AS awaited`,
    [firstIdOf(fromMs), firstIdOf(toMs)],
  );
  return row?.awaited ?? true;
}
