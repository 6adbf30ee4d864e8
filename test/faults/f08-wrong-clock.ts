import type { Fault } from './lib/fault';
import { judge } from './lib/judge';
import { sleep } from './lib/waiting';
import { startWorld } from './lib/world';

const OFF_MS = 600_000;
const CONNECTIONS = 10;
/** The least that may be set. */
const SYNC_EVERY_S = 10;
const WATCH_MS = 35_000;

export const fault: Fault = {
  id: 'F8',
  promise: "one process's clock 10 minutes ahead, another's 10 minutes behind: no lease is stolen, no slot is run twice",
  stages: ['server'],
  async run(stage, services, { events }) {
    const offsets = [0, OFF_MS, -OFF_MS];
    const world = await startWorld({
      stage,
      services,
      env: { SYNC_INCREMENTAL_SECONDS: String(SYNC_EVERY_S) },
      envOf: (index) => ({ FAULT_CLOCK_OFFSET_MS: String(offsets[index] ?? 0) }),
    });
    const { cluster, sandbox, accounts } = world;
    // A signature is checked against the clock of the process, so only the right one takes deliveries; all of them work.
    sandbox.setWebhookTarget(cluster.members[0]?.url ?? '');
    for (const account of accounts.slice(0, CONNECTIONS)) await world.connect(account);
    const began = Date.now();
    const slow = world.send(100, { payload: { metadata: { slowMs: '200' } } });
    await world.send(events);
    await slow;
    await world.settled(120_000);
    await sleep(Math.max(0, began + WATCH_MS - Date.now()));
    const watchedS = (Date.now() - began) / 1_000;
    const judged = await judge(world);
    const [leases] = await cluster.query<{ again: number }>(
      `SELECT count(*) FILTER (WHERE attempts > 1)::int AS again FROM webhook_events WHERE provider = 'stripe'`,
    );
    const [pids] = await cluster.query<{ n: number }>('SELECT count(DISTINCT pid)::int AS n FROM fault_effects');
    const slots = await cluster.query<{ connection_id: string; slot: string; runs: number }>(
      `SELECT connection_id, slot, count(*)::int AS runs FROM sync_runs WHERE trigger = 'schedule' AND started_at IS NOT NULL GROUP BY connection_id, slot`,
    );
    const [overlaps] = await cluster.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM sync_runs a JOIN sync_runs b ON a.connection_id = b.connection_id AND a.id < b.id
       WHERE a.started_at < b.finished_at AND b.started_at < a.finished_at`,
    );
    const perConnection = new Map<string, number>();
    for (const { connection_id } of slots) perConnection.set(connection_id, (perConnection.get(connection_id) ?? 0) + 1);
    const most = Math.max(0, ...perConnection.values());
    const doubles = slots.filter(({ runs }) => runs > 1).length;
    const fits = Math.ceil(watchedS / SYNC_EVERY_S) + 1;
    return {
      ok:
        judged.ok &&
        judged.acknowledged.size === judged.sent.size &&
        leases?.again === 0 &&
        doubles === 0 &&
        overlaps?.n === 0 &&
        slots.length > 0 &&
        most <= fits &&
        (pids?.n ?? 0) > 1,
      seen:
        `${judged.text}; worked on by ${pids?.n} processes, ${leases?.again} events claimed a second time; ${slots.length} slots of ${perConnection.size} connections in ${watchedS.toFixed(0)} s ` +
        `(at most ${most} of one, ${fits} fit), ${doubles} run twice, ${overlaps?.n} runs at the same time`,
    };
  },
};
