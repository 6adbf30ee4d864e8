import type { Fault } from './lib/fault';
import { judge } from './lib/judge';
import { seconds, sleep } from './lib/waiting';
import { startWorld } from './lib/world';

const EVERY_MS = 2_000;
const KILLS = 8;
/** Two looks around, then what the dead held, one event at a time, as any of them may have killed it; on a busy machine. The lease is 60 s. */
const TAKEN_OVER_WITHIN_S = 30;

export const fault: Fault = {
  id: 'F1',
  promise:
    'kill -9 of a process every 2 s: nothing acknowledged is lost, nothing happens twice, and what the dead held is done within seconds of the next start',
  stages: ['server', 'embedded'],
  boundS: 420,
  async run(stage, services, { events }) {
    const world = await startWorld({ stage, services });
    const { members } = world.cluster;
    let lastKillAt = 0;
    let lastStartAt = 0;
    const started = () => void (lastStartAt = Date.now());
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
      if (members.length === 1) await back?.then(started);
      else back?.then(started, () => undefined);
    }
    await Promise.all(waves);
    await world.settled(90_000);
    const judged = await judge(world);
    // Where nothing of the dead was left the last effect may have come before.
    const lastMs = Math.max(0, judged.lastEffectAt - Math.max(lastKillAt, lastStartAt));
    const inTime = lastMs <= TAKEN_OVER_WITHIN_S * 1_000;
    return {
      ok: judged.ok && judged.acknowledged.size === judged.sent.size && inTime,
      seen: `${judged.text}; ${KILLS} kills; last effect ${seconds(lastMs)} after the last start`,
    };
  },
};
