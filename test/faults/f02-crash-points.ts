import { CRASH_POINTS } from './lib/crash-points';
import { CALLING_TYPE } from './lib/effect-sink.module';
import type { Fault } from './lib/fault';
import { judge } from './lib/judge';
import { SINK_TABLE } from './lib/sink-table';
import { until } from './lib/waiting';
import { startWorld } from './lib/world';

const LEASE_S = 5;
const CALLERS = 5;
const DIES_WITHIN_MS = 30_000;
/** Events whose handler calls the provider, for each point. */
const CALLS = 20;

export const fault: Fault = {
  id: 'F2',
  promise:
    'kill -9 at every point between claim and done: effect and mark are one transaction, calls to a provider repeat with the same key',
  stages: ['server', 'embedded'],
  boundS: 900,
  async run(stage, services, { events }) {
    const world = await startWorld({ stage, services, env: { FAULT_LEASE_S: String(LEASE_S) } });
    const { sandbox, cluster, accounts } = world;
    const [victim] = cluster.members;
    if (!victim) throw new Error('no process');
    const callers = accounts.slice(0, CALLERS);
    for (const account of callers) await world.connect(account);
    // Deliveries ring where they come in: so most of the work is the victim's, and the others help.
    sandbox.setWebhookTarget(victim.url);
    const missed: string[] = [];
    const waves: Promise<unknown>[] = [];
    await victim.kill();
    for (const point of CRASH_POINTS) {
      let over = false;
      // With work left from the last life it may die before it listens.
      const listening = victim.start({ FAULT_CRASH_AT: point }).catch((error: unknown) => {
        if (!over) throw error;
      });
      void victim.process.ended.then(() => (over = true));
      await listening;
      waves.push(
        world.send(Math.ceil(events / CRASH_POINTS.length)),
        world.send(CALLS, { type: CALLING_TYPE, account: callers, concurrency: 5 }),
      );
      if ((await until(() => over, DIES_WITHIN_MS)) === undefined) {
        missed.push(point);
        await victim.kill();
      }
    }
    await victim.start();
    await Promise.all(waves);
    await sandbox.control.settle(10_000);
    await world.settled(60_000);
    const judged = await judge(world);

    const calls = sandbox.control.ledger({ kind: 'request', provider: 'stripe', endpoint: 'customers.create' });
    const keys = new Set(calls.map(({ idempotencyKey }) => idempotencyKey ?? ''));
    const done = calls.filter(({ applied, detail }) => applied && detail?.['replayed'] !== true);
    const created = new Set(done.map(({ idempotencyKey }) => idempotencyKey ?? ''));
    const noted = await cluster.query<{ event_id: string }>(`SELECT event_id FROM ${SINK_TABLE} WHERE kind = 'call'`);
    const notedOnce = new Set(noted.map(({ event_id }) => event_id));
    const callsOk =
      done.length === created.size &&
      keys.size === created.size &&
      noted.length === notedOnce.size &&
      [...notedOnce].every((id) => created.has(id)) &&
      !keys.has('');
    return {
      ok: judged.ok && callsOk && missed.length === 0 && notedOnce.size === CRASH_POINTS.length * CALLS,
      seen:
        `${judged.text}; died at ${CRASH_POINTS.length - missed.length} of ${CRASH_POINTS.length} points${missed.length > 0 ? ` (not at ${missed.join(', ')})` : ''}; ` +
        `${calls.length} calls under ${keys.size} keys, ${done.length} took effect at the provider, ${noted.length} noted; lease ${LEASE_S} s`,
    };
  },
};
