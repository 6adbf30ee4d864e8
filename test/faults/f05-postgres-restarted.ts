import { Client } from 'pg';
import type { Fault } from './lib/fault';
import { judge } from './lib/judge';
import { OwnPostgres, type StopMode } from './lib/own-postgres';
import { seconds, sleep, until } from './lib/waiting';
import { startWorld, type World } from './lib/world';
import { signedEvent } from './lib/signed-event';

const AWAY_MS = 3_000;
const RECONNECT_WITHIN_MS = 5_000;

export const fault: Fault = {
  id: 'F5',
  promise: 'Postgres restarted, in order and at once: 503 with Retry-After, never a false 2xx, working again within 5 s, no process ends',
  stages: ['server'],
  boundS: 300,
  async run(stage, services, { events }) {
    const postgres = await OwnPostgres.start();
    if (!postgres) return { seen: 'not run: no Postgres server to start here', ok: null };
    const world = await startWorld({ stage, services, databaseUrl: postgres.url });
    const { members } = world.cluster;
    const pids = members.map((member) => member.process.child.pid);
    let ended = 0;
    for (const member of members) void member.process.ended.then(() => ended++);
    const reconnected: (number | undefined)[] = [];
    const refusals: Refusal[] = [];
    for (const mode of ['fast', 'immediate'] satisfies StopMode[]) {
      const sending = world.send(Math.ceil(events / 2));
      await sleep(700);
      await postgres.stop(mode);
      refusals.push(...(await Promise.all(members.map((member) => refusalOf(world, member.url)))));
      await sleep(AWAY_MS);
      await postgres.start();
      await until(() => answers(postgres.url), 20_000, 20);
      reconnected.push(...(await Promise.all(members.map((member) => until(() => isTaken(world, member.url), 20_000, 100)))));
      await sending;
    }
    const diedMeanwhile = ended;
    await world.settled(90_000);
    const judged = await judge(world);
    const statuses = Object.keys(judged.answers).filter((status) => !['200', '503', 'none'].includes(status));
    const slowest = reconnected.includes(undefined) ? undefined : Math.max(...reconnected.map((ms) => ms ?? 0));
    const refusedWell = refusals.every(({ status, retryAfter }) => status === 503 && Number(retryAfter) > 0);
    return {
      ok:
        judged.ok &&
        judged.acknowledged.size === judged.sent.size &&
        statuses.length === 0 &&
        refusedWell &&
        slowest !== undefined &&
        slowest <= RECONNECT_WITHIN_MS &&
        diedMeanwhile === 0,
      seen:
        `${judged.text}; while it was away: ${refusals.map(({ status, retryAfter, ms }) => `${status} Retry-After ${retryAfter} in ${seconds(ms)}`).join(', ')}; ` +
        `deliveries taken again at most ${seconds(slowest)} after it answered; ${diedMeanwhile} of ${pids.length} processes ended`,
    };
  },
};

interface Refusal {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly ms: number;
}

async function refusalOf(world: World, url: string): Promise<Refusal> {
  const began = performance.now();
  const answer = await deliver(world, url);
  return { status: answer.status, retryAfter: answer.headers.get('retry-after'), ms: performance.now() - began };
}

async function isTaken(world: World, url: string): Promise<boolean> {
  return (await deliver(world, url)).ok;
}

/** Of an account that nobody connected and a type that nobody sent: kept, and of no effect. */
function deliver(world: World, url: string): Promise<Response> {
  return fetch(`${url}/webhooks/slack`, { method: 'POST', ...signedEvent(world), signal: AbortSignal.timeout(15_000) });
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
    return true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => undefined);
  }
}
