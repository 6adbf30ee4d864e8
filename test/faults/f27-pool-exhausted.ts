import { Client } from 'pg';
import { percentile } from '../../bench/lib/benchmark';
import { atEnd } from './lib/clean-up';
import type { Fault } from './lib/fault';
import { judge } from './lib/judge';
import { signedEvent } from './lib/signed-event';
import { seconds, sleep } from './lib/waiting';
import { startWorld } from './lib/world';

const POOL = 4;
const HELD_MS = 25_000;
const ASKERS = 40;
/** Stripe waits for ten seconds, Slack for three; a caller of the API waits for a connection for five. */
const FAST_MS = 9_000;
const HEALTH_MS = 2_500;

export const fault: Fault = {
  id: 'F27',
  promise: 'the pool of connections exhausted: 503 with Retry-After in time, liveness and readiness not starved, all goes on afterwards',
  stages: ['server'],
  async run(stage, services, { events }) {
    const world = await startWorld({ stage, services, processes: 1, env: { DATABASE_POOL_MAX: String(POOL) } });
    const { cluster, accounts } = world;
    const [member] = cluster.members;
    if (!member) throw new Error('no process');
    await world.send(Math.ceil(events / 2));

    // Whoever needs these tables waits, with a connection in hand: soon there is none left.
    const holder = new Client({ connectionString: cluster.databaseUrl });
    await holder.connect();
    atEnd(() => holder.end());
    await holder.query('BEGIN');
    await holder.query('LOCK TABLE webhook_events, connections IN ACCESS EXCLUSIVE MODE');
    const end = Date.now() + HELD_MS;
    const released = sleep(HELD_MS).then(() => holder.query('COMMIT'));
    const asks = (ask: () => Promise<Answer>, count: number, pauseMs: number) =>
      Promise.all(
        Array.from({ length: count }, async () => {
          const answers: Answer[] = [];
          while (Date.now() < end) {
            answers.push(await ask());
            await sleep(pauseMs);
          }
          return answers;
        }),
      ).then((all) => all.flat());
    const [api, hooks, live, ready] = await Promise.all([
      asks(() => timed(world.fetch(member, '/v1/connections', { account: accounts[0] })), ASKERS, 50),
      asks(() => timed(fetch(`${member.url}/webhooks/slack`, { method: 'POST', ...signedEvent(world) })), ASKERS, 50),
      asks(() => timed(fetch(`${member.url}/health/live`)), 1, 100),
      asks(() => timed(fetch(`${member.url}/health/ready`)), 1, 100),
    ]);
    await released;
    const recovered = performance.now();
    await world.send(Math.ceil(events / 2));
    await world.settled(90_000);
    const recoveredMs = performance.now() - recovered;
    const judged = await judge(world);

    // Who has a connection in hand waits for the lock itself, as long as a statement may; all others wait for a connection.
    const inHand = [...api, ...hooks].filter(({ status, ms }) => status === 200 && ms > FAST_MS).length;
    const refused = [...api, ...hooks].filter(({ status }) => status === 503);
    const others = [...api, ...hooks].filter(({ status }) => status !== 503 && status !== 200);
    const slowest = Math.max(...refused.map(({ ms }) => ms));
    const health = percentile(
      [...live, ...ready].map(({ ms }) => ms),
      0.99,
    );
    return {
      ok:
        judged.ok &&
        judged.acknowledged.size === judged.sent.size &&
        refused.length > 0 &&
        others.length === 0 &&
        refused.every(({ retryAfter }) => retryAfter) &&
        inHand <= POOL &&
        slowest <= FAST_MS &&
        live.every(({ status }) => status === 200) &&
        health <= HEALTH_MS,
      seen:
        `pool of ${POOL}, tables locked for ${HELD_MS / 1_000} s: API ${describe(api)}; deliveries ${describe(hooks)}; live ${describe(live)}; ready ${describe(ready)}; ` +
        `${refused.filter(({ retryAfter }) => !retryAfter).length} of the 503 without Retry-After; ${others.length} other answers; ${inHand} that had a connection in hand waited for the lock; all settled ${seconds(recoveredMs)} after the lock went; ${judged.text}`,
    };
  },
};

interface Answer {
  readonly status: number;
  readonly ms: number;
  readonly retryAfter: boolean;
}

async function timed(asked: Promise<Response>): Promise<Answer> {
  const began = performance.now();
  const { status, retryAfter } = await asked.then(
    (answer) => ({ status: answer.status, retryAfter: answer.headers.has('retry-after') }),
    () => ({ status: 0, retryAfter: false }),
  );
  return { status, retryAfter, ms: performance.now() - began };
}

function describe(answers: readonly Answer[]): string {
  const times = answers.map(({ ms }) => ms);
  const statuses = [...new Set(answers.map(({ status }) => status))].map(
    (status) => `${answers.filter((answer) => answer.status === status).length} x ${status}`,
  );
  return `${statuses.join(', ')}, median ${seconds(percentile(times, 0.5))}, slowest ${seconds(Math.max(...times))}`;
}
