import { Client } from 'pg';
import { readFeed } from '../support/change-feed';
import { productUser } from '../support/product-user';
import type { Member } from '../support/service-cluster';
import { onTrial, verdict } from '../support/way-out-trial';
import type { Fault } from './lib/fault';
import { compareSets, inWords, isEqual, remoteReader, storedSet } from './lib/remote-sets';
import { quiet, startRun } from './lib/sync-runs';
import { seconds, sleep, until } from './lib/waiting';

const PROCESSES = 5;
const ACCOUNT = 'paused@acme.test';
const EVENTS = 3_000;
/** Long enough for the others to begin meanwhile, short beside the beat of the lease. */
const PAGE_TAKES_MS = 3_000;
const SMALL_ACCOUNTS = 8;
/** The least that may be set. */
const SYNC_EVERY_S = 10;
const LEASE_S = 30;
/** Paused so long after its last sign of life that the lease ends before a statement that waits is given up. */
const SINCE_SIGN_S = 3;
const RUN = `SELECT status, fence, fetched, extract(epoch FROM lease_until - now())::float8 AS lease_s FROM sync_runs WHERE id = $1`;
/** A page on its way into the database that waits for the connection's turn. */
const WAITING = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE 'WITH held AS%'`;

interface RunRow {
  readonly status: string;
  readonly fence: number;
  readonly fetched: number;
  readonly lease_s: number;
}
const GOES_ON_MS = 15_000;

export const fault: Fault = {
  id: 'F18',
  promise:
    'five schedulers, one paused in the middle of a run until its lease has ended: one run for each slot, and what the paused one still writes is refused',
  stages: ['server'],
  boundS: 420,
  run: (stage, services) =>
    // At first only one process works, so that the run is its; the others begin when it has begun.
    onTrial(
      stage,
      services,
      {
        workers: true,
        processes: PROCESSES,
        env: { SYNC_INCREMENTAL_SECONDS: String(SYNC_EVERY_S) },
        envOf: (index) => ({ WORKERS: String(index === 0) }),
      },
      async ({ sandbox, cluster }) => {
        const [victim, ...others] = cluster.members as [Member, ...Member[]];
        const user = await productUser(cluster);
        for (let number = 0; number < SMALL_ACCOUNTS; number++) await user.connect('stripe', { account: `acct_slot${number}` });
        const id = await user.connect('google', { account: ACCOUNT });
        await quiet(user, id);
        // Its slots would only stand in the way of the run that is watched.
        await cluster.query('UPDATE sync_schedules SET enabled = false WHERE connection_id = $1', [id]);
        await quiet(user, id);
        await sandbox.post('/seed', { provider: 'google', account: ACCOUNT, resource: 'events', count: EVENTS });
        await sandbox.fault({ kind: 'latency', provider: 'google', endpoint: 'events.list', latencyMs: PAGE_TAKES_MS });

        const { id: run } = await startRun(user, id, 'full', ['events']);
        const row = async () => (await cluster.query<RunRow>(RUN, [run]))[0] as RunRow;
        await until(async () => (await row()).fetched > 0, 60_000);
        await Promise.all(others.map(begin));
        // What stands in the way of the next page is held here, so that the victim is paused with a write on its way.
        await until(async () => (await row()).lease_s < LEASE_S - SINCE_SIGN_S, LEASE_S * 1_000, 50);
        const hold = await holdTurn(cluster.databaseUrl ?? '', id);
        let onItsWay: number | undefined;
        try {
          onItsWay = await until(async () => (await cluster.query(WAITING)).length > 0, 2 * PAGE_TAKES_MS, 20);
          victim.process.child.kill('SIGSTOP');
          await until(async () => (await row()).fence > 1, LEASE_S * 1_000, 50);
        } finally {
          await hold.release();
        }
        const taken = await row();
        await sandbox.clearFaults();
        const later = await until(async () => (await row()).fetched > taken.fetched, 60_000);
        victim.process.child.kill('SIGCONT');
        await until(async () => (await row()).status !== 'running', 120_000);
        await sleep(GOES_ON_MS);
        return judge();

        async function judge() {
          const end = await row();
          const remote = await remoteReader(sandbox, 'google', ACCOUNT);
          const there = await remote.events();
          // A page that was counted twice would show here.
          const records = (await readFeed(user, id, 'events')).size;
          const difference = compareSets(there, await storedSet(user, id, 'events'));
          const refused = victim.process.lines.filter((line) => line.includes('went on elsewhere') && line.includes(run)).length;
          const slots = await cluster.query<{ runs: number }>(
            `SELECT count(*)::int AS runs FROM sync_runs WHERE trigger = 'schedule' GROUP BY connection_id, slot`,
          );
          const overlaps = await cluster.query(
            `SELECT 1 FROM sync_runs a JOIN sync_runs b ON a.connection_id = b.connection_id AND a.id < b.id
             WHERE a.started_at < b.finished_at AND b.started_at < a.finished_at`,
          );
          return verdict(
            {
              'a write was on its way': onItsWay !== undefined,
              'another process took the run over': taken.fence === 2 && later !== undefined,
              'the stale write was refused': refused === 1 && end.fetched === records,
              'the run ended well': end.status === 'succeeded' && end.fence === 2,
              'nothing is missing': isEqual(difference),
              'one run for each slot': slots.length > SMALL_ACCOUNTS && slots.every(({ runs }) => runs === 1),
              'never two at once': overlaps.length === 0,
            },
            `taken over with fence ${taken.fence}, the next page ${seconds(later)} later; ${refused} refused at the paused one, ${end.fetched} fetched for ${records} records, ` +
              `${inWords(difference, there)}; ${slots.length} slots of ${SMALL_ACCOUNTS} connections, ${slots.filter(({ runs }) => runs > 1).length} run twice, ${overlaps.length} runs at the same time`,
          );
        }
      },
    ),
};

/** Takes the connection's turn to write and keeps it. */
async function holdTurn(databaseUrl: string, connection: string): Promise<{ release(): Promise<void> }> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  await client.query('BEGIN');
  await client.query('SELECT 1 FROM record_sequences WHERE connection_id = $1 FOR UPDATE', [connection]);
  return { release: () => client.end() };
}

async function begin(member: Member): Promise<void> {
  await member.stop();
  await member.start({ WORKERS: 'true' });
}
