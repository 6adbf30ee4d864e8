import { check, type BenchmarkResult } from './benchmark';
import type { Stage } from './size-stage';

/** Rows of these tables are deleted in batches, and not dropped with a partition. */
const IN_BATCHES = ['webhook_events', 'sync_runs', 'outbox', 'alerts', 'object_marks', 'request_buckets', 'actions'] as const;
const TICKS = ['tick MonitoringScheduler.sweep', 'tick PayloadRetention.tick'] as const;
const RETENTION_DAYS = '10';
/** What 300 events a second bring, to the table of events and to one more. */
const AT_LEAST = 300;

/** Lets two thirds of what is kept be overdue at once, and ends it by the ticks of retention. */
export async function endOverdue(stage: Stage): Promise<Omit<BenchmarkResult, 'id'>> {
  await stage.restart({ RETENTION_DAYS });
  const before = await counts(stage);
  const lines: string[] = [];
  let [deleted, seconds] = [0, 0];
  const events = { rows: 0, seconds: 0 };
  for (const tick of TICKS) {
    const from = await counts(stage);
    const { ms } = await stage.work(tick);
    const to = await counts(stage);
    const gone = IN_BATCHES.map((table) => ({ table, rows: from[table]! - to[table]! })).filter(({ rows }) => rows > 0);
    const rows = gone.reduce((sum, each) => sum + each.rows, 0);
    deleted += rows;
    seconds += ms / 1_000;
    if (tick === 'tick PayloadRetention.tick')
      Object.assign(events, { rows: from.webhook_events! - to.webhook_events!, seconds: ms / 1_000 });
    lines.push(
      `${tick.slice(5)}: ${rows} rows in ${(ms / 1_000).toFixed(1)} s (${gone.map((each) => `${each.table} ${each.rows}`).join(', ')})`,
    );
  }
  const again = await stage.work('tick PayloadRetention.tick');
  const after = await counts(stage);
  const left = await overdueEvents(stage);
  return {
    arms: [
      { name: 'retention: rows deleted', unit: 'rows/s', ...same(deleted / seconds) },
      { name: 'retention: events and marks, with payloads dropped', unit: 'events/s', ...same(events.rows / events.seconds) },
    ],
    checks: [
      check(
        'retention, rows a second',
        `>= ${AT_LEAST} of each kind`,
        `${Math.round(events.rows / events.seconds)} events/s; ${lines.join('; ')}`,
        events.rows / events.seconds >= AT_LEAST,
      ),
      check(
        'retention: nothing overdue is left',
        '0 events',
        `${left} events; a tick with nothing to do ${again.ms.toFixed(0)} ms`,
        left === 0 && after.webhook_events! < before.webhook_events!,
      ),
    ],
  };
}

const same = (value: number) => ({ median: value, min: value, max: value });

async function counts({ cluster }: Stage): Promise<Record<string, number>> {
  const rows = await cluster.query<{ name: string; n: number }>(
    IN_BATCHES.map((table) => `SELECT '${table}' AS name, count(*)::int AS n FROM ${table}`).join(' UNION ALL '),
  );
  return Object.fromEntries(rows.map(({ name, n }) => [name, n]));
}

async function overdueEvents({ cluster }: Stage): Promise<number> {
  const [row] = await cluster.query<{ n: number }>(
    `SELECT count(*)::int AS n FROM webhook_events WHERE status IN ('completed', 'dead') AND received_at < now() - make_interval(days => $1::int)`,
    [Number(RETENTION_DAYS) * 3],
  );
  return row?.n ?? Number.NaN;
}
