import { percentile } from '../../bench/lib/benchmark';
import type { Fault } from './lib/fault';
import { deliveriesOf, judge } from './lib/judge';
import { seconds, sleep } from './lib/waiting';
import { startWorld, type World } from './lib/world';

/** Overdue rows for each event that the run is told to send: a million with the usual ten thousand. */
const OVERDUE_EACH = 100;
const PER_SECOND = 300;
/** Stripe waits for an answer so long. */
const ANSWERED_WITHIN_MS = 10_000;
const RETENTION_DAYS = 1;
const OLD = `now() - interval '10 days'`;
/** A UUIDv7 of ten days ago: what is stored in the order of time is ended by its id. */
const OLD_ID = `(substr(t, 1, 8) || '-' || substr(t, 9, 4) || '-7' || substr(r, 2, 3) || '-8' || substr(r, 6, 3) || '-' || substr(r, 9, 12))::uuid`;
const OLD_ROWS = (count: number) =>
  `SELECT n, ${OLD_ID} AS id FROM generate_series(1, ${count}) n,
     LATERAL (SELECT lpad(to_hex((extract(epoch FROM ${OLD}) * 1000)::bigint), 12, '0') AS t, md5(n::text || random()::text) AS r) x`;

/** A log of requests, events that are done with their payloads, marks of objects: the tables that grow. */
const FILL = (rows: number) => [
  `INSERT INTO request_log (id, at, provider, method, endpoint, outcome, attempt, duration_ms)
   SELECT id, ${OLD}, 'stripe', 'GET', 'customers.list', 'ok', 1, 10 FROM (${OLD_ROWS(rows)}) o`,
  `WITH old AS MATERIALIZED (${OLD_ROWS(rows)}),
     payloads AS (INSERT INTO webhook_payloads (id, body) SELECT id, '{}' FROM old)
   INSERT INTO webhook_events (id, payload_id, provider, event_id, type, tenant, status, received_at, processed_at)
   SELECT id, id, 'stripe', 'evt_old_' || n, 'charge.updated', 'tenant-old', 'completed', ${OLD}, ${OLD} FROM old`,
  `INSERT INTO object_marks (connection_id, object_key, version, event_id, updated_at)
   SELECT id, 'charge/' || n, 1, 'evt_old_' || n, ${OLD} FROM (${OLD_ROWS(rows)}) o`,
];
const LEFT = `SELECT (SELECT count(*) FROM request_log WHERE at < now() - interval '1 day')::int
  + (SELECT count(*) FROM webhook_events WHERE event_id LIKE 'evt_old_%')::int + (SELECT count(*) FROM object_marks WHERE event_id LIKE 'evt_old_%')::int
  + (SELECT count(*) FROM webhook_payloads p WHERE NOT EXISTS (SELECT 1 FROM webhook_events e WHERE e.payload_id = p.id))::int AS n`;
/** Of what came during the run: an object whose mark is not there, or older than what was applied to it. */
const UNTRUE_MARKS = `SELECT count(*)::int AS n FROM webhook_events e LEFT JOIN object_marks m ON m.connection_id = e.connection_id AND m.object_key = e.object_key
  WHERE e.status = 'completed' AND e.event_id NOT LIKE 'evt_old_%' AND e.connection_id IS NOT NULL AND e.object_key IS NOT NULL AND e.object_version IS NOT NULL
    AND (m.version IS NULL OR m.version < e.object_version)`;

export const fault: Fault = {
  id: 'F34',
  promise:
    'a million rows that are overdue while 300 deliveries come in each second: all are gone, nobody is held up, and the marks of objects stay true',
  stages: ['server'],
  boundS: 900,
  async run(stage, services, { events }) {
    const world = await startWorld({ stage, services, env: { RETENTION_DAYS: String(RETENTION_DAYS) } });
    const rows = Math.ceil((events * OVERDUE_EACH) / 4);
    for (const statement of FILL(rows)) await world.cluster.query(statement);
    const before = await count(world, LEFT);

    let over = false;
    const sending = (async () => {
      while (!over) await Promise.all([world.send(PER_SECOND, { retries: 0 }), sleep(1_000)]);
    })();
    await sleep(3_000);
    const quiet = deliveriesOf(world).length;
    const began = performance.now();
    // All processes at once, as their clocks may have it.
    const swept = await Promise.all(
      world.cluster.members.map(({ url }) => fetch(`${url}/faults/retention`, { method: 'POST', signal: AbortSignal.timeout(800_000) })),
    );
    const sweptMs = performance.now() - began;
    over = true;
    await sending;
    await world.settled(90_000);
    const left = await count(world, LEFT);
    const untrue = await count(world, UNTRUE_MARKS);
    const judged = await judge(world);
    const during = deliveriesOf(world)
      .slice(quiet)
      .map(({ durationMs = 0 }) => durationMs);
    const slowest = Math.max(0, ...during);
    return {
      ok:
        judged.ok &&
        judged.acknowledged.size === judged.sent.size &&
        swept.every(({ ok }) => ok) &&
        before >= rows * 3 &&
        left === 0 &&
        untrue === 0 &&
        slowest <= ANSWERED_WITHIN_MS,
      seen:
        `${before + rows} rows overdue, ${left} after ${seconds(sweptMs)}; ${during.length} deliveries meanwhile (${Math.round(during.length / (sweptMs / 1_000))} a second), ` +
        `answered in ${percentile(during, 0.95).toFixed(0)} ms (95 %), the slowest in ${seconds(slowest)}; ${untrue} marks untrue; ${judged.text}`,
    };
  },
};

async function count(world: World, sql: string): Promise<number> {
  return (await world.cluster.query<{ n: number }>(sql))[0]?.n ?? 0;
}
