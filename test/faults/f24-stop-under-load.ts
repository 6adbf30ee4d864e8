import type { Fault } from './lib/fault';
import { judge } from './lib/judge';
import { seconds, sleep } from './lib/waiting';
import { startWorld } from './lib/world';
import type { Member } from '../support/service-cluster';

const WITHIN_MS = 25_000;

export const fault: Fault = {
  id: 'F24',
  promise: 'SIGTERM under load: ready says 503, what is under way ends, exit 0 within 25 s, nothing acknowledged is lost',
  stages: ['server', 'embedded'],
  async run(stage, services, { events }) {
    const world = await startWorld({ stage, services });
    const { members } = world.cluster;
    const stops: Stop[] = [];
    for (const member of members) {
      const sending = world.send(Math.ceil(events / members.length));
      await sleep(500);
      stops.push(await stop(member));
      await member.start();
      await sending;
    }
    await world.settled(120_000);
    const judged = await judge(world);
    return {
      ok:
        judged.ok &&
        judged.acknowledged.size === judged.sent.size &&
        stops.every(({ code, ms, unready }) => code === 0 && ms <= WITHIN_MS && unready),
      seen: `${judged.text}; ${stops.map(({ code, ms, unready }) => `exit ${code} after ${seconds(ms)}, ready ${unready ? '503' : 'NEVER 503'}`).join('; ')}`,
    };
  },
};

interface Stop {
  readonly code: number | null;
  readonly ms: number;
  /** Whether ready was seen to say 503 before the process was gone. */
  readonly unready: boolean;
}

async function stop(member: Member): Promise<Stop> {
  const began = performance.now();
  let over = false;
  let unready = false;
  const stopped = member.stop().finally(() => (over = true));
  const asking = (async () => {
    while (!over && !unready) {
      const status = await fetch(`${member.url}/health/ready`, { signal: AbortSignal.timeout(3_000) }).then(
        (answer) => answer.status,
        () => 0,
      );
      unready = status === 503;
      await sleep(20);
    }
  })();
  const code = await Promise.race([stopped, sleep(WITHIN_MS + 5_000).then(() => -1)]);
  const ms = performance.now() - began;
  over = true;
  await asking;
  if (code === -1) await member.kill();
  return { code, ms, unready };
}
