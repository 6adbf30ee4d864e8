import type { Fault } from './lib/fault';
import { deliveriesOf, isAcknowledged, judge } from './lib/judge';
import { startWorld } from './lib/world';

const COPIES = 10;

export const fault: Fault = {
  id: 'F6',
  promise: 'each delivery ten times, at once and across processes: one row, one effect, ten times 2xx',
  stages: ['server', 'embedded'],
  boundS: 420,
  async run(stage, services, { events }) {
    const world = await startWorld({ stage, services });
    // Not shuffled: the ten of one event are in flight together.
    const sent = await world.send(Math.ceil(events / COPIES), { copies: COPIES });
    await world.settled(120_000);
    const judged = await judge(world);
    const rows = await world.cluster.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM webhook_events WHERE provider = 'stripe' GROUP BY event_id`,
    );
    const good = new Map<string, number>();
    for (const { eventId = '' } of deliveriesOf(world).filter(isAcknowledged)) good.set(eventId, (good.get(eventId) ?? 0) + 1);
    const tenTimes = [...good.values()].filter((count) => count === COPIES).length;
    const oneRow = rows.length === sent.events && rows.every(({ n }) => n === 1);
    return {
      ok: judged.ok && oneRow && tenTimes === sent.events,
      seen: `${judged.text}; ${sent.deliveries} deliveries, ${rows.length} rows, ${tenTimes} events were answered 2xx ${COPIES} times`,
    };
  },
};
