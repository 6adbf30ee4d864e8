import type { Fault } from './lib/fault';
import { judge } from './lib/judge';
import { OwnRedis } from './lib/own-redis';
import { seconds, sleep, until } from './lib/waiting';
import { startWorld } from './lib/world';

const FLUSHES = 3;

export const fault: Fault = {
  id: 'F4',
  promise: 'FLUSHALL in mid-run: nothing lost, nothing twice, and what Redis has to hold is there again within 10 s',
  stages: ['server'],
  async run(stage, services, { events }) {
    const redis = await OwnRedis.start();
    if (!redis) return { seen: 'not run: no redis-server here', ok: null };
    const world = await startWorld({ stage, services, redisUrl: redis.url });
    const before = new Set(await redis.ask((client) => client.keys('*')));
    const rebuilt: (number | undefined)[] = [];
    for (let flush = 0; flush < FLUSHES; flush++) {
      const sending = world.send(Math.ceil(events / FLUSHES));
      await sleep(500);
      await redis.ask((client) => client.flushall());
      // Wake-ups are numbered by Redis: the number is there again when one has come through.
      let over = false;
      const again = until(async () => (await redis.ask((client) => client.keys('*:wake-up:id'))).length > 0, 15_000, 50).finally(
        () => (over = true),
      );
      await sending;
      // A process asks the others for help only while it is busy.
      while (!over) await world.send(100);
      rebuilt.push(await again);
    }
    const settledMs = await world.settled(60_000);
    const states = await Promise.all(
      world.cluster.members.map(async ({ url }) => ((await (await fetch(`${url}/health/ready`)).json()) as { status: string }).status),
    );
    const judged = await judge(world);
    const slowest = rebuilt.includes(undefined) ? undefined : Math.max(...rebuilt.map((ms) => ms ?? 0));
    return {
      ok:
        judged.ok &&
        judged.answers['200'] === judged.sent.size &&
        slowest !== undefined &&
        slowest <= 10_000 &&
        settledMs !== undefined &&
        states.every((state) => state === 'ok'),
      seen: `${judged.text}; ${FLUSHES} times FLUSHALL (${before.size} keys before the first), wake-ups were through again after at most ${seconds(slowest)}; all settled ${seconds(settledMs)} after the last event; ready ${states.join(', ')}`,
    };
  },
};
