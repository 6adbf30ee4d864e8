import { join } from 'node:path';
import { Client } from 'pg';
import { connectDatabase } from '../../src/database';
import { nextSlot } from '../../src/integrations/sync/runs/schedule-slots';
import { startProcess } from '../../test/support/child-process';
import { createDatabase, dropDatabase } from '../../test/support/service-cluster';
import type { TickAnswer } from './scheduler-process';

const INTERVAL_S = 900;
const FULL_S = 7 * 86_400;
/** Connections in one statement. */
const CHUNK = 50_000;
const SAMPLE = 1_000;

/** What is queued since the last `makeDue`. */
export interface Queued {
  /** Connections with a run. */
  readonly runs: number;
  /** Runs whose slot has not begun. */
  readonly early: number;
  /** Connections with a run whose next slot began since: due a second time. */
  readonly dueAgain: number;
}

/** A database with so many connections, each with a schedule, and a scheduler on it in a process of its own. */
export interface Schedules {
  readonly count: number;
  /** Lets at least so many be due now: those that were to come first. */
  makeDue(count: number): Promise<void>;
  /** The limit: what is due, read by its index. */
  select(): Promise<{ due: number; ms: number }>;
  tick(): Promise<TickAnswer>;
  queued(): Promise<Queued>;
  /** Due connections of each second of the interval. */
  perSecond(): Promise<{ mean: number; most: number }>;
  close(): Promise<void>;
}

/** The slot as `nextSlot` finds it. */
const PLACE = `('x' || encode(substring(sha256(convert_to(id::text, 'utf8')) FROM 1 FOR 6), 'hex'))::bit(48)::bigint / 2.0 ^ 48`;
const next = (intervalS: number) =>
  `(SELECT p + (floor(($1::bigint - p) / ${intervalS * 1_000}::numeric) + 1) * ${intervalS * 1_000} FROM floor(f * ${intervalS * 1_000}) p)`;
const time = (ms: string) => `to_timestamp((${ms})::float8 / 1000)`;

export async function openSchedules(server: string, count: number): Promise<Schedules> {
  const url = await createDatabase(server);
  await (await connectDatabase({ databaseUrl: url, dataDir: '' })).destroy();
  const client = new Client({ connectionString: url });
  await client.connect();
  await fill(client, count);
  const child = startProcess(join(__dirname, 'scheduler-process.ts'), [], { DATABASE_URL: url });
  const port = await child.listening();
  let madeDueAt = new Date();
  const one = async <Row extends object>(sql: string, params: unknown[] = []) => (await client.query<Row>(sql, params)).rows[0] as Row;
  return {
    count,
    makeDue: async (due) => {
      await client.query('DELETE FROM sync_runs');
      await client.query(
        `UPDATE sync_schedules SET next_incremental_at = now() - interval '1 second', next_due_at = now() - interval '1 second'
         WHERE connection_id IN (SELECT connection_id FROM sync_schedules ORDER BY next_due_at LIMIT $1)`,
        [due],
      );
      // Dead rows of the round before are autovacuum's business, at a time of its own: not within what is measured.
      await client.query('VACUUM ANALYZE sync_schedules');
      await client.query('VACUUM ANALYZE sync_runs');
      await client.query('CHECKPOINT').catch(() => undefined);
      madeDueAt = (await one<{ now: Date }>('SELECT clock_timestamp() AS now')).now;
    },
    select: async () => {
      const from = performance.now();
      const { rows } = await client.query('SELECT * FROM sync_schedules WHERE enabled AND next_due_at <= now() ORDER BY next_due_at');
      const ms = performance.now() - from;
      return { due: rows.length, ms };
    },
    tick: async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/tick`);
      if (!answer.ok) throw new Error(await answer.text());
      return (await answer.json()) as TickAnswer;
    },
    queued: () =>
      one(
        `SELECT count(*)::int AS runs, (count(*) FILTER (WHERE split_part(r.slot, '@', 2)::timestamptz > now()))::int AS early,
           (count(*) FILTER (WHERE s.next_incremental_at - interval '${INTERVAL_S} seconds' BETWEEN $1 AND now()))::int AS "dueAgain"
         FROM (SELECT DISTINCT ON (connection_id) connection_id, slot FROM sync_runs WHERE status = 'queued' ORDER BY connection_id, slot DESC) r
         JOIN sync_schedules s USING (connection_id)`,
        [madeDueAt],
      ),
    perSecond: () =>
      one(
        `SELECT sum(n)::float8 / ${INTERVAL_S} AS mean, max(n)::float8 AS most
         FROM (SELECT count(*) AS n FROM sync_schedules GROUP BY floor(extract(epoch FROM next_incremental_at))::bigint % ${INTERVAL_S}) s`,
      ),
    close: async () => {
      await child.kill();
      await client.end();
      await dropDatabase(server, url);
    },
  };
}

/** As so many connects over time leave them, but that none is due within the next hour by itself. */
async function fill(client: Client, count: number): Promise<void> {
  await client.query('SET synchronous_commit = off');
  const now = Date.now() + 3_600_000;
  for (let from = 1; from <= count; from += CHUNK) {
    const to = Math.min(count, from + CHUNK - 1);
    await client.query(
      `WITH made AS (
         INSERT INTO connections (id, tenant, user_id, provider, account_id, account_name, routing_key, auth_type, status)
         SELECT gen_random_uuid(), 't' || n % 1000, 'u' || n, 'bench', 'a' || n, 'a' || n, 'a' || n, 'oauth2', 'connected' FROM generate_series($2::int, $3::int) n
         RETURNING id
       ), placed AS (
         SELECT id, ${time(next(INTERVAL_S))} AS incremental, ${time(next(FULL_S))} AS full_at FROM (SELECT id, ${PLACE} AS f FROM made) m
       )
       INSERT INTO sync_schedules (connection_id, next_incremental_at, next_full_at, next_due_at)
       SELECT id, incremental, full_at, least(incremental, full_at) FROM placed`,
      [now, from, to],
    );
  }
  await client.query('VACUUM ANALYZE connections');
  await client.query('VACUUM ANALYZE sync_schedules');
  const { rows } = await client.query<{ id: string; at: Date }>(
    `SELECT connection_id AS id, next_incremental_at AS at FROM sync_schedules LIMIT ${SAMPLE}`,
  );
  const strange = rows.filter(({ id, at }) => Math.abs(at.getTime() - nextSlot(id, now, INTERVAL_S)) > 1);
  if (strange.length > 0) throw new Error(`${strange.length} of ${rows.length} due times are not those of the product`);
}
