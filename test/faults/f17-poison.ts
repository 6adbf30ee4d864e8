import type { Fault } from './lib/fault';
import { deliveriesOf, idsOf, isAcknowledged, judge } from './lib/judge';
import { seconds, sleep } from './lib/waiting';
import { startWorld } from './lib/world';

const LEASE_S = 5;
const MAX_ATTEMPTS = 3;
const POISON = { throw: 4, hang: 3, kill: 3 } as const;
const POISONED = 10;

export const fault: Fault = {
  id: 'F17',
  promise:
    'ten poisoned events among ten thousand (throw, hang, kill the process): all others are done, the ten are dead with a reason, attempts are counted before the run',
  stages: ['server', 'embedded'],
  boundS: 720,
  async run(stage, services, { events }) {
    const world = await startWorld({
      stage,
      services,
      env: { FAULT_LEASE_S: String(LEASE_S), WEBHOOK_MAX_ATTEMPTS: String(MAX_ATTEMPTS) },
    });
    const { members } = world.cluster;
    const watching = new AbortController();
    let deaths = 0;
    // What a process manager does.
    const keepers = members.map(async (member) => {
      while (!watching.signal.aborted) {
        await Promise.race([member.process.ended, sleep(200)]);
        if (watching.signal.aborted || (member.process.child.exitCode === null && member.process.child.signalCode === null)) continue;
        deaths++;
        await member.start().catch(() => undefined);
      }
    });
    const poisoned = new Set<string>();
    const parts = Object.entries(POISON);
    for (const [poison, count] of parts) {
      const sending = world.send(Math.ceil((events - POISONED) / parts.length));
      const summary = await world.send(count, { payload: { metadata: { poison } } });
      for (const id of summary.eventIds) poisoned.add(id);
      await sending;
    }
    const settledMs = await world.settled(480_000);
    watching.abort();
    await Promise.all(keepers);
    const judged = await judge(world);
    const rows = await world.cluster.query<{ event_id: string; status: string; attempts: number; last_error: string | null; n: number }>(
      `SELECT event_id, status, attempts, last_error FROM webhook_events WHERE provider = 'stripe' AND status <> 'completed'`,
    );
    const dead = rows.filter(({ status, last_error }) => status === 'dead' && last_error);
    const onlyPoison =
      rows.length === POISONED &&
      dead.length === POISONED &&
      dead.every(({ event_id, attempts }) => poisoned.has(event_id) && attempts === MAX_ATTEMPTS);
    const healthy = [...idsOf(deliveriesOf(world).filter(isAcknowledged))].filter((id) => !poisoned.has(id));
    const done = healthy.filter((id) => judged.applied.has(id));
    const reasons = [...new Set(dead.map(({ last_error }) => last_error))];
    const noneOfPoison = [...poisoned].every((id) => !judged.applied.has(id));
    return {
      ok:
        onlyPoison &&
        done.length === healthy.length &&
        judged.sent.size === healthy.length + POISONED &&
        judged.twice.length === 0 &&
        noneOfPoison &&
        settledMs !== undefined,
      seen:
        `${judged.sent.size} sent, ${done.length} of ${healthy.length} healthy ones done, ${judged.twice.length} twice; ${dead.length} dead after ${MAX_ATTEMPTS} attempts each (${reasons.join(' / ')}), ` +
        `${deaths} processes died and were started again; settled ${seconds(settledMs)} after the last delivery; lease ${LEASE_S} s`,
    };
  },
};
