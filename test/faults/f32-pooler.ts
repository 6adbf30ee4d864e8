import { join } from 'node:path';
import { Client } from 'pg';
import type { Services } from '../../bench/lib/benchmark';
import { startProcess } from '../support/child-process';
import { createDatabase, dropDatabase } from '../support/service-cluster';
import { atEnd } from './lib/clean-up';
import type { Fault, Size } from './lib/fault';
import { judge } from './lib/judge';
import { OwnPgbouncer, pgbouncerVersion, type PoolMode } from './lib/own-pgbouncer';
import { seconds, sleep, until } from './lib/waiting';
import { startWorld, type World } from './lib/world';

/** What three processes open at most: their pools, those for locks, those of the health checks; and the judge. */
const ENOUGH = 3 * (20 + 5 + 1) + 4;
/** Fewer than one process opens when it is busy. */
const TOO_FEW = 12;
const REFUSED_WITHIN_MS = 60_000;
const READY_WITHIN_MS = 60_000;
const SENTENCE = /DATABASE_URL: .*pool_mode = session/;

export const fault: Fault = {
  id: 'F32',
  promise:
    'PgBouncer before the server: in session mode all works, also when it restarts and when it has few sessions; in transaction and statement mode the start is refused with the reason',
  stages: ['server'],
  boundS: 600,
  async run(_stage, services, size) {
    const server = services.databaseUrl ?? '';
    const refused: Refusal[] = [];
    for (const how of [{ mode: 'transaction' }, { mode: 'transaction', roundRobin: true }, { mode: 'statement' }] as const) {
      const refusal = await refusalOf(server, how);
      if (!refusal) return { seen: 'not run: no pgbouncer here', ok: null };
      refused.push(refusal);
    }
    const session = await inSessionMode(services, size);
    return {
      ok: refused.every(({ ok }) => ok) && session.ok,
      seen: `${pgbouncerVersion()}; ${refused.map(({ seen }) => seen).join('; ')}; session mode: ${session.seen}`,
    };
  },
};

interface Refusal {
  readonly ok: boolean;
  readonly seen: string;
}

/** The service and the migrator, each started against an empty database behind the pooler. */
async function refusalOf(server: string, { mode, roundRobin = false }: { mode: PoolMode; roundRobin?: boolean }) {
  const pooler = await OwnPgbouncer.start(server, mode, { poolSize: 20, roundRobin });
  if (!pooler) return undefined;
  const database = await createDatabase(server);
  atEnd(() => dropDatabase(server, database));
  const env = { NODE_ENV: 'test', SANDBOX: 'on', DATABASE_URL: pooler.through(database), REDIS_URL: '', PORT: '0' };
  const ends: { code: number | null | undefined; told: boolean; ms: number }[] = [];
  for (const file of ['faults/lib/service.ts', '../src/cli/migrate.ts']) {
    const began = performance.now();
    const child = startProcess(join(__dirname, '..', file), [], env);
    const code = await Promise.race([child.ended, sleep(REFUSED_WITHIN_MS).then(() => undefined)]);
    await child.kill();
    ends.push({ code, told: child.lines.some((line) => SENTENCE.test(line)), ms: performance.now() - began });
  }
  const client = new Client({ connectionString: database });
  await client.connect();
  const [tables] = (await client.query<{ n: number }>(`SELECT count(*)::int AS n FROM pg_tables WHERE schemaname = 'public'`)).rows;
  await client.end();
  return {
    ok: ends.every(({ code, told }) => code === 1 && told) && tables?.n === 0,
    seen:
      `${mode} mode${roundRobin ? ' in turn' : ''}: ` +
      `${ends.map(({ code, told, ms }) => `exit ${code} ${told ? 'with the reason' : 'WITHOUT A REASON'} after ${seconds(ms)}`).join(' and ')}, ${tables?.n} tables made`,
  };
}

async function inSessionMode(services: Services, { events }: Size): Promise<Refusal> {
  const server = services.databaseUrl ?? '';
  const all: Refusal[] = [];
  for (const poolSize of [ENOUGH, TOO_FEW]) {
    const pooler = await OwnPgbouncer.start(server, 'session', { poolSize });
    if (!pooler) return { ok: false, seen: 'PgBouncer did not start' };
    const database = await createDatabase(server);
    atEnd(() => dropDatabase(server, database));
    const few = poolSize === TOO_FEW;
    // The judge reads beside the pooler: it must not take a session from the service.
    const world = await startWorld({
      stage: 'server',
      services,
      databaseUrl: few ? database : pooler.through(database),
      env: { DATABASE_URL: pooler.through(database) },
      processes: few ? 1 : 3,
    });
    const sending = world.send(Math.ceil(events / 2));
    if (!few) {
      await sleep(500);
      await pooler.restart();
    }
    const readyMs = await until(() => allReady(world), READY_WITHIN_MS, 200);
    await sending;
    await world.settled(90_000);
    const judged = await judge(world);
    const strange = Object.keys(judged.answers).filter((status) => !['200', '503', 'none'].includes(status));
    all.push({
      ok: judged.ok && judged.acknowledged.size === judged.sent.size && strange.length === 0 && readyMs !== undefined,
      seen: `${poolSize} sessions for ${world.cluster.members.length} process${few ? '' : 'es, restarted under load'}: ${judged.text}, ready ${seconds(readyMs)}`,
    });
    for (const member of world.cluster.members) await member.kill();
  }
  return { ok: all.every(({ ok }) => ok), seen: all.map(({ seen }) => seen).join('; ') };
}

async function allReady(world: World): Promise<boolean> {
  const states = await Promise.all(
    world.cluster.members.map(({ url }) =>
      fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) }).then(
        ({ status }) => status === 200,
        () => false,
      ),
    ),
  );
  return states.every(Boolean);
}
