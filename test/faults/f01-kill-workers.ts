import type { Fault } from './lib/fault';
import { judge } from './lib/judge';
import { seconds, sleep } from './lib/waiting';
import { startWorld } from './lib/world';

const EVERY_MS = 2_000;
const KILLS = 8;
/** The product's own default. */
const LEASE_S = 60;
const AFTER_LEASE_S = 5;

export const fault: Fault = {
  id: 'F1',
  promise:
    'kill -9 of a process every 2 s: nothing acknowledged is lost, nothing happens twice, and what the dead held is done within lease + 5 s',
  stages: ['server', 'embedded'],
  boundS: 420,
  async run(stage, services, { events }) {
    const world = await startWorld({ stage, services });
    const { members } = world.cluster;
    let lastKillAt = 0;
    const waves: Promise<unknown>[] = [];
    for (let kills = 0; kills < KILLS; kills++) {
      await sleep(EVERY_MS / 2);
      waves.push(world.send(Math.ceil(events / KILLS)));
      await sleep(EVERY_MS / 2);
      const victim = members[kills % members.length];
      lastKillAt = Date.now();
      await victim?.kill();
      const back = victim?.start();
      // The only process must be back before it can be killed in its work again.
      if (members.length === 1) await back;
      else back?.catch(() => undefined);
    }
    await Promise.all(waves);
    await world.settled((LEASE_S + 30) * 1_000);
    const judged = await judge(world);
    const lastMs = judged.lastEffectAt - lastKillAt;
    const inTime = lastMs <= (LEASE_S + AFTER_LEASE_S) * 1_000;
    return {
      ok: judged.ok && judged.acknowledged.size === judged.sent.size && inTime,
      seen: `${judged.text}; ${KILLS} kills; last effect ${seconds(lastMs)} after the last kill (lease ${LEASE_S} s)`,
    };
  },
};
