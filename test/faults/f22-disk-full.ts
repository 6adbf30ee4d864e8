import type { Fault } from './lib/fault';
import { deliveriesOf, isAcknowledged, judge } from './lib/judge';
import { OwnPostgres } from './lib/own-postgres';
import { SmallDisk } from './lib/small-disk';
import { seconds, sleep, until } from './lib/waiting';
import { startWorld, type World } from './lib/world';

const DISK_MB = { server: 400, embedded: 300 } as const;
const FULL_MS = 15_000;
const RECOVERS_WITHIN_MS = 60_000;

export const fault: Fault = {
  id: 'F22',
  promise: 'the disk of the database full: 503, never a false 2xx, ready says so, and all goes on by itself when there is room again',
  stages: ['server', 'embedded'],
  boundS: 600,
  async run(stage, services, { events }) {
    const disk = SmallDisk.mount(DISK_MB[stage]);
    if (!disk) return { seen: 'not run: no file system may be mounted here', ok: null };
    const postgres = stage === 'server' ? await OwnPostgres.start() : undefined;
    if (stage === 'server' && !postgres) return { seen: 'not run: no Postgres server to start here', ok: null };
    const world = await startWorld({ stage, services, databaseUrl: postgres?.url });
    let ended = 0;
    for (const member of world.cluster.members) void member.process.ended.then(() => ended++);
    await world.send(Math.ceil(events / 3));
    await world.settled(60_000);

    disk.fill();
    const from = deliveriesOf(world).length;
    const filling = setInterval(() => disk.fill(), 50);
    const sending = world.send(Math.ceil(events / 3));
    const states: string[] = [];
    const fullUntil = performance.now() + FULL_MS;
    while (performance.now() < fullUntil) {
      states.push(...(await Promise.all(world.cluster.members.map(({ url }) => stateOf(url)))));
      await sleep(500);
    }
    clearInterval(filling);
    const during = deliveriesOf(world).slice(from);
    const diedMeanwhile = ended;
    disk.free();
    await sleep(1_000);
    await postgres?.startAgainIfEnded();
    const recoveredMs = await until(() => allReady(world), RECOVERS_WITHIN_MS, 200);
    await sending;
    await world.send(Math.ceil(events / 3));
    await world.settled(120_000);
    const judged = await judge(world);
    const refused = during.filter((one) => !isAcknowledged(one));
    const strange = Object.keys(judged.answers).filter((status) => !['200', '503', 'none'].includes(status));
    const told = states.filter((state) => /^degraded .*disk/.test(state));
    return {
      ok:
        judged.ok &&
        judged.acknowledged.size === judged.sent.size &&
        refused.length > 0 &&
        strange.length === 0 &&
        told.length > 0 &&
        diedMeanwhile === 0 &&
        recoveredMs !== undefined,
      seen:
        `${judged.text}; while it was full: ${refused.length} of ${during.length} deliveries refused, ready said ${[...new Set(states)].join(', ')}, ${diedMeanwhile} processes ended; ` +
        `ready again ${seconds(recoveredMs)} after there was room`,
    };
  },
};

async function stateOf(url: string): Promise<string> {
  return fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) }).then(
    async (answer) => {
      const { status, dependencies } = (await answer.json()) as { status: string; dependencies: { database?: { detail?: string } } };
      return status === 'ok' ? status : `${status} (${dependencies.database?.detail})`;
    },
    () => 'nothing',
  );
}

async function allReady(world: World): Promise<boolean> {
  const states = await Promise.all(world.cluster.members.map(({ url }) => stateOf(url)));
  return states.every((state) => state === 'ok');
}
