import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { Services } from '../../bench/lib/benchmark';
import { startProcess } from '../support/child-process';
import { withDatabase } from '../support/service-cluster';
import { atEnd } from './lib/clean-up';
import type { Fault, Size, Verdict } from './lib/fault';
import { deliveriesOf, idsOf, isAcknowledged, judge } from './lib/judge';
import { OwnPostgres } from './lib/own-postgres';
import { SINK_TABLE } from './lib/sink-table';
import { sleep, until } from './lib/waiting';
import { startWorld, type World } from './lib/world';

export const fault: Fault = {
  id: 'F25',
  promise: 'a snapshot of the data under load, and a start from it: every 2xx before the snapshot is there, with one effect',
  stages: ['server', 'embedded'],
  boundS: 300,
  run: (stage, services, size) => (stage === 'embedded' ? ofFolder(services, size) : ofServer(services, size)),
};

/** The process is held while its folder is copied: what a snapshot of a file system sees. */
async function ofFolder(services: Services, { events }: Size): Promise<Verdict> {
  const world = await startWorld({ stage: 'embedded', services });
  const [member] = world.cluster.members;
  const copy = await mkdtemp(join(tmpdir(), 'trestle-snapshot-'));
  atEnd(() => rm(copy, { recursive: true, force: true }));
  const sending = world.send(events);
  await half(world, events);
  member?.process.child.kill('SIGSTOP');
  await sleep(50);
  const before = acknowledgedNow(world);
  await cp(world.cluster.dataDir, copy, { recursive: true });
  member?.process.child.kill('SIGCONT');
  await sending;
  await world.settled(120_000);
  const judged = await judge(world);

  const effects = await restartOn(world, { DATA_DIR: copy }, async (ended) => {
    await ended();
    return withDatabase({ dataDir: copy }, readSnapshot);
  });
  return verdict(before, effects, judged.ok, `the folder, its process held meanwhile; afterwards ${judged.text}`);
}

/** A base backup, taken while the server works. */
async function ofServer(services: Services, { events }: Size): Promise<Verdict> {
  const postgres = await OwnPostgres.start();
  if (!postgres) return { seen: 'not run: no Postgres server to start here', ok: null };
  const world = await startWorld({ stage: 'server', services, databaseUrl: postgres.url });
  const sending = world.send(events);
  await half(world, events);
  const before = acknowledgedNow(world);
  const copy = await postgres.startCopy();
  await sending;
  await world.settled(120_000);
  const judged = await judge(world);
  for (const member of world.cluster.members) await member.kill();

  const effects = await restartOn(world, { DATABASE_URL: copy.url, REDIS_URL: '' }, async () => {
    const client = new Client({ connectionString: copy.url });
    await client.connect();
    try {
      return await readSnapshot({ query: async (sql) => (await client.query(sql)).rows });
    } finally {
      await client.end();
    }
  });
  return verdict(before, effects, judged.ok, `a base backup of the server; afterwards ${judged.text}`);
}

async function half(world: World, events: number): Promise<void> {
  await until(() => deliveriesOf(world).filter(isAcknowledged).length >= events / 2, 120_000, 10);
}

function acknowledgedNow(world: World): Set<string> {
  return idsOf(deliveriesOf(world).filter(isAcknowledged));
}

interface Snapshot {
  readonly rows: ReadonlySet<string>;
  readonly effects: ReadonlyMap<string, number>;
}

async function readSnapshot(database: { query(sql: string): Promise<unknown> }): Promise<Snapshot> {
  const rows = (await database.query(`SELECT event_id FROM webhook_events WHERE provider = 'stripe'`)) as { event_id: string }[];
  const effects = (await database.query(`SELECT event_id, count(*)::int AS n FROM ${SINK_TABLE} GROUP BY event_id`)) as {
    event_id: string;
    n: number;
  }[];
  return { rows: new Set(rows.map(({ event_id }) => event_id)), effects: new Map(effects.map(({ event_id, n }) => [event_id, n])) };
}

/** A process on the snapshot, with leases that end soon, until it has no more to do. */
async function restartOn(
  world: World,
  env: Record<string, string>,
  read: (ended: () => Promise<void>) => Promise<Snapshot>,
): Promise<Snapshot> {
  const service = startProcess(join(__dirname, 'lib/service.ts'), [], { ...world.cluster.env, PORT: '0', ...env });
  atEnd(() => service.kill());
  const url = `http://127.0.0.1:${await service.listening()}`;
  const open = `SELECT count(*)::int AS n FROM webhook_events WHERE status IN ('received', 'failed', 'processing')`;
  const ask = () =>
    fetch(`${url}/faults/query`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ sql: open }) });
  await until(
    () =>
      ask().then(
        async (answer) => answer.ok && ((await answer.json()) as { n: number }[])[0]?.n === 0,
        () => false,
      ),
    150_000,
    250,
  );
  return read(() => service.kill());
}

function verdict(before: ReadonlySet<string>, { rows, effects }: Snapshot, origin: boolean, how: string): Verdict {
  const missing = [...before].filter((id) => !rows.has(id));
  const undone = [...rows].filter((id) => effects.get(id) !== 1);
  return {
    ok: origin && before.size > 0 && missing.length === 0 && undone.length === 0,
    seen: `${before.size} acknowledged before the snapshot, ${missing.length} of them missing in it; ${rows.size} in the snapshot, ${undone.length} without exactly one effect after a start from it (${how})`,
  };
}
