import type { Fault } from './lib/fault';
import { deliveriesOf, idsOf, isAcknowledged, judge } from './lib/judge';
import { OwnRedis } from './lib/own-redis';
import { SINK_TABLE } from './lib/sink-table';
import { seconds, sleep, until } from './lib/waiting';
import { startWorld, type World } from './lib/world';

const AWAY_MS = 30_000;
/** Stripe's test mode, as the product's facts have it: what an account may be asked, a second and at once. */
const LIMIT = { perSecond: 25, burst: 15 };
const WINDOW_MS = 5_000;
/** A call may arrive later than it was sent, and so nearer to the next: what a second brings. */
const JITTER = LIMIT.perSecond;

export const fault: Fault = {
  id: 'F3',
  promise: 'Redis away for 30 s: receiving, processing and syncing go on, limits fall back to a share per process, ready says degraded',
  stages: ['server'],
  boundS: 300,
  async run(stage, services, { events }) {
    const redis = await OwnRedis.start();
    if (!redis) return { seen: 'not run: no redis-server here', ok: null };
    const world = await startWorld({ stage, services, redisUrl: redis.url });
    const { cluster, sandbox, accounts } = world;
    const account = accounts[0] ?? '';
    const connection = await world.connect(account);
    await world.send(Math.ceil(events / 3));
    await world.settled(60_000);

    await redis.stop();
    const from = Date.now();
    const back = sleep(AWAY_MS).then(() => redis.start());
    const sinceSeq = sandbox.control.ledger({}).at(-1)?.seq ?? 0;
    const degraded = await allReady(world, 'degraded');
    await world.send(Math.ceil(events / 3));
    const asked = askAll(world, account, connection, from + AWAY_MS - 12_000);
    const workedMs = await until(() => allApplied(world), AWAY_MS, 250);
    const appliedAt = Date.now() - from;
    const sync = await world.fetch(cluster.members[1] ?? cluster.members[0]!, `/v1/connections/${connection}/syncs`, {
      method: 'POST',
      account,
      body: { type: 'incremental' },
    });
    const { id: runId } = (await sync.json()) as { id: string };
    const syncedMs = await until(
      async () =>
        (await cluster.query<{ status: string }>('SELECT status FROM sync_runs WHERE id = $1', [runId]))[0]?.status === 'succeeded',
      AWAY_MS,
      250,
    );
    const syncedAt = Date.now() - from;
    const inOutage = workedMs !== undefined && syncedMs !== undefined && appliedAt < AWAY_MS && syncedAt < AWAY_MS;
    await asked;
    const busiest = busiestWindow(world, account, sinceSeq, from + AWAY_MS);
    const allowed = LIMIT.burst + (LIMIT.perSecond * WINDOW_MS) / 1_000;

    await back;
    const recoveredMs = await until(() => allReady(world, 'ok', 1), 20_000, 200);
    await world.send(Math.ceil(events / 3));
    await world.settled(60_000);
    const judged = await judge(world);
    return {
      ok:
        judged.ok &&
        judged.answers['200'] === judged.sent.size &&
        degraded &&
        inOutage &&
        recoveredMs !== undefined &&
        busiest.count > 0 &&
        busiest.count <= allowed + JITTER &&
        busiest.total <= busiest.fit + JITTER,
      seen:
        `${judged.text}; without Redis: ready said degraded ${degraded ? 'on all' : 'NOT on all'}, all applied ${seconds(appliedAt)} and a sync done ${seconds(syncedAt)} into the outage, ` +
        `at most ${busiest.count} calls in ${WINDOW_MS / 1_000} s from 3 processes (${allowed} allowed, and ${JITTER} for late arrivals; ${busiest.total} of ${busiest.fit} made in all); ready ok ${seconds(recoveredMs)} after it was back`,
    };
  },
};

async function allReady(world: World, status: string, tries = 50): Promise<boolean> {
  const all = await until(async () => {
    const states = await Promise.all(
      world.cluster.members.map(({ url }) =>
        fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) }).then(
          async (answer) => (answer.status === 200 ? ((await answer.json()) as { status: string }).status : ''),
          () => '',
        ),
      ),
    );
    return states.every((state) => state === status);
  }, tries * 100);
  return all !== undefined;
}

async function allApplied(world: World): Promise<boolean> {
  const rows = await world.cluster.query<{ event_id: string }>(`SELECT DISTINCT event_id FROM ${SINK_TABLE}`);
  const applied = new Set(rows.map(({ event_id }) => event_id));
  return [...idsOf(deliveriesOf(world).filter(isAcknowledged))].every((id) => applied.has(id));
}

/** As many calls as each process lets through. */
async function askAll(world: World, account: string, connection: string, untilAt: number): Promise<void> {
  await Promise.all(
    world.cluster.members.flatMap((member) =>
      Array.from({ length: 8 }, async () => {
        while (Date.now() < untilAt)
          await world.fetch(member, `/v1/connections/${connection}/proxy/v1/customers?limit=1`, { account }).then(
            (answer) => answer.arrayBuffer(),
            () => sleep(100),
          );
      }),
    ),
  );
}

function busiestWindow(world: World, account: string, since: number, end: number): { count: number; total: number; fit: number } {
  const calls = world.sandbox.control.ledger({ kind: 'request', provider: 'stripe', account, since }).filter(({ at }) => at <= end);
  const counts = calls.map(({ at }) => calls.filter((other) => other.at >= at && other.at < at + WINDOW_MS).length);
  const lasted = (calls.at(-1)?.at ?? 0) - (calls[0]?.at ?? 0);
  return { count: Math.max(0, ...counts), total: calls.length, fit: Math.floor(LIMIT.burst + (LIMIT.perSecond * lasted) / 1_000) };
}
