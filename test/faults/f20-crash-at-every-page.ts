import { until } from '../../demo/http-client';
import { productUser, type ProductUser } from '../support/product-user';
import type { SandboxProcess } from '../support/sandbox-process';
import type { Cluster, Member } from '../support/service-cluster';
import { onTrial, verdict } from '../support/way-out-trial';
import type { Fault } from './lib/fault';
import { compareSets, inWords, isEqual, remoteReader, storedSet, type RemoteReader } from './lib/remote-sets';
import { quiet, runsOf, startRun, type RunSeen } from './lib/sync-runs';
import { sleep } from './lib/waiting';

const ACCOUNT = 'acct_crash';
const PAGE = 100;
const CUSTOMERS = 550;
const CREATED = 250;
/** Further ones for a walk that is long enough for the service to fetch ahead. */
const MORE = 800;
const LATE_PAGE = 12;
const PAGE_TAKES_MS = 300;
const MAX_LIVES = 40;
/** One crash waits for the real lease to end; the others end it, as time would. */
const LEASE_MS = 30_000;

interface Crashes {
  readonly crashes: number;
  /** Pages that were answered in all lives. */
  readonly fetched: number;
  readonly pages: number;
  readonly succeeded: boolean;
}

export const fault: Fault = {
  id: 'F20',
  promise:
    'kill -9 at every page, equal cursor values across the edge of a page: the final set is equal, at most one page is fetched again',
  stages: ['server', 'embedded'],
  boundS: 1_200,
  run: (stage, services) =>
    onTrial(stage, services, { workers: true, processes: 1 }, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const id = await user.connect('stripe', { account: ACCOUNT });
      await quiet(user, id);
      const remote = await remoteReader(sandbox, 'stripe', ACCOUNT);
      const walk = { sandbox, cluster, user, id, remote };
      const compare = async () => {
        const there = await remote.customers();
        const difference = compareSets(there, await storedSet(user, id, 'customers'));
        return { equal: isEqual(difference), words: inWords(difference, there) };
      };

      await seed(sandbox, CUSTOMERS);
      const pages = async () => Math.ceil((await remote.customers()).size / PAGE);
      const full = await crashAtEveryPage(walk, { type: 'full', endpoint: 'customers.list', pages: await pages() });
      const afterFull = await compare();

      for (let made = 0; made < CREATED; made += 50) {
        await Promise.all(
          Array.from({ length: 50 }, (_, n) => sandbox.post('/stripe/customers', { account: ACCOUNT, name: `Made ${made + n}` })),
        );
      }
      const events = await remote.customerEventPages();
      const equalEdges = events.filter((page, n) => page.at(-1) !== undefined && page.at(-1) === events[n + 1]?.[0]).length;
      const incremental = await crashAtEveryPage(walk, { type: 'incremental', endpoint: 'events.list', pages: events.length });
      const afterIncremental = await compare();

      await seed(sandbox, MORE);
      const late = await crashOnce(walk, { endpoint: 'customers.list', pages: await pages() });
      const unchanged = await crashOnce(walk, { endpoint: 'customers.list', pages: await pages() });
      const afterLate = await compare();
      return verdict(
        {
          'all runs ended well': [full, incremental, late, unchanged].every(({ succeeded }) => succeeded),
          'equal after each': afterFull.equal && afterIncremental.equal && afterLate.equal,
          'at most one page again for each crash': [full, incremental, late, unchanged].every(
            ({ fetched, pages: of, crashes }) => fetched <= of + crashes,
          ),
          'it crashed at every page': full.crashes >= full.pages && incremental.crashes >= incremental.pages,
          'equal cursor values lay across an edge': equalEdges > 0,
        },
        `full: ${told(full)}, ${afterFull.words}; incremental: ${told(incremental)}, ${equalEdges} edges with equal values, ${afterIncremental.words}; late crash: ${told(late)}, with nothing changed: ${told(unchanged)}, ${afterLate.words}`,
      );
    }),
};

interface Walk {
  readonly sandbox: SandboxProcess;
  readonly cluster: Cluster;
  readonly user: ProductUser;
  readonly id: string;
  readonly remote: RemoteReader;
}

/** Every page sees two crashes: one when it was answered, before it is stored or about then, and one right after it was stored. */
async function crashAtEveryPage(walk: Walk, what: { type: 'full' | 'incremental'; endpoint: string; pages: number }): Promise<Crashes> {
  const { sandbox, cluster, user, id } = walk;
  const [member] = cluster.members as [Member];
  const since = await sandbox.lastSeq();
  await sandbox.fault({ kind: 'latency', provider: 'stripe', endpoint: what.endpoint, latencyMs: PAGE_TAKES_MS });
  const { id: run } = await startRun(user, id, what.type, ['customers']);
  let crashes = 0;
  for (; crashes < MAX_LIVES; crashes++) {
    const reached = crashes % 2 === 0 ? await untilAnswered(walk, what.endpoint, since, run) : await untilStored(walk, run);
    if (!reached) break;
    await member.kill();
    if (crashes === 0) await sleep(LEASE_MS);
    else await cluster.query(`UPDATE sync_runs SET lease_until = now() WHERE status = 'running'`);
    await member.start();
  }
  await sandbox.clearFaults();
  return endOf(walk, { run, since, crashes, ...what });
}

/** In a long walk, when the next page may have been fetched while the last is stored. */
async function crashOnce(walk: Walk, what: { endpoint: string; pages: number }): Promise<Crashes> {
  const { sandbox, cluster, user, id, remote } = walk;
  const [member] = cluster.members as [Member];
  const since = await sandbox.lastSeq();
  const { id: run } = await startRun(user, id, 'full', ['customers']);
  await until(
    () => answered(remote, what.endpoint, since),
    (count) => count >= LATE_PAGE,
    60_000,
  );
  await member.kill();
  await cluster.query(`UPDATE sync_runs SET lease_until = now() WHERE status = 'running'`);
  await member.start();
  return endOf(walk, { run, since, crashes: 1, ...what });
}

async function endOf(
  { user, id, remote }: Walk,
  at: { run: string; since: number; crashes: number; endpoint: string; pages: number },
): Promise<Crashes> {
  const runs = await quiet(user, id);
  return {
    crashes: at.crashes,
    fetched: await answered(remote, at.endpoint, at.since),
    pages: at.pages,
    succeeded: runs.find((one) => one.id === at.run)?.status === 'succeeded',
  };
}

/** @returns false when the run ended before */
async function untilAnswered({ user, id, remote }: Walk, endpoint: string, since: number, run: string): Promise<boolean> {
  const before = await answered(remote, endpoint, since);
  for (let look = 1; (await answered(remote, endpoint, since)) <= before; look++) {
    if (look % 10 === 0 && !(await activeRun(user, id, run))) return false;
    await sleep(10);
  }
  return true;
}

/** @returns false when the run ended before */
async function untilStored({ user, id }: Walk, run: string): Promise<boolean> {
  const before = await activeRun(user, id, run);
  for (;;) {
    const now = await activeRun(user, id, run);
    if (!before || !now) return false;
    if (now.counts.fetched > before.counts.fetched) return true;
    await sleep(10);
  }
}

async function activeRun(user: ProductUser, connection: string, id: string): Promise<RunSeen | undefined> {
  return (await runsOf(user, connection)).find((run) => run.id === id && (run.status === 'queued' || run.status === 'running'));
}

async function answered(remote: RemoteReader, endpoint: string, since: number): Promise<number> {
  return (await remote.requests(endpoint, since)).filter(({ outcome }) => outcome === 'answered').length;
}

function seed(sandbox: SandboxProcess, count: number): Promise<unknown> {
  return sandbox.post('/seed', { provider: 'stripe', account: ACCOUNT, resource: 'customers', count });
}

function told({ crashes, fetched, pages, succeeded }: Crashes): string {
  return `${crashes} crashes, ${pages} pages fetched ${fetched} times${succeeded ? '' : ', did not end well'}`;
}
