import { productUser } from '../support/product-user';
import type { SandboxProcess } from '../support/sandbox-process';
import { onTrial, sleep, verdict } from '../support/way-out-trial';
import type { Fault } from './lib/fault';
import { compareSets, inWords, isEqual, remoteReader, storedSet } from './lib/remote-sets';
import { quiet, runsOf, startRun } from './lib/sync-runs';

const CUSTOMERS = 1_200;
const EVENTS = 2_000;
const PAGE_TAKES_MS = 400;
const SOURCES = [
  {
    provider: 'stripe',
    account: 'acct_moving',
    resource: 'customers',
    endpoint: 'customers.list',
    count: CUSTOMERS,
    path: '/stripe/customers',
  },
  { provider: 'google', account: 'moving@acme.test', resource: 'events', endpoint: 'events.list', count: EVENTS, path: '/google/events' },
] as const;
type Source = (typeof SOURCES)[number];

export const fault: Fault = {
  id: 'F21',
  promise:
    'records that are made, changed and removed while a full run pages through them: nothing is missing after the next incremental run',
  stages: ['server'],
  run: (stage, services) =>
    onTrial(stage, services, { workers: true }, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const seen: string[] = [];
      const checks: Record<string, boolean> = {};
      for (const source of SOURCES) {
        const { provider, account, resource, endpoint } = source;
        const id = await user.connect(provider, { account });
        await quiet(user, id);
        await sandbox.post('/seed', { provider, account, resource, count: source.count });
        const remote = await remoteReader(sandbox, provider, account);
        const there = () => (provider === 'stripe' ? remote.customers() : remote.events());
        // Of the calendar that changes are made in.
        const ids = [...(await (provider === 'stripe' ? remote.customers() : remote.events('primary'))).keys()];
        await sandbox.fault({ kind: 'latency', provider, endpoint, latencyMs: PAGE_TAKES_MS });
        const since = await sandbox.lastSeq();
        const run = await startRun(user, id, 'full', [resource]);
        const made = { created: 0, changed: 0, removed: 0 };
        const isOver = async () =>
          (await runsOf(user, id)).some((one) => one.id === run.id && one.status !== 'queued' && one.status !== 'running');
        while (!(await isOver())) await changeSome(sandbox, source, ids, made);
        await sandbox.clearFaults();
        const pages = (await remote.requests(endpoint, since)).length;
        await quiet(user, id);
        await startRun(user, id, 'incremental', [resource]);
        const runs = await quiet(user, id);
        const now = await there();
        const difference = compareSets(now, await storedSet(user, id, resource));
        checks[`${provider}: the runs ended well`] = runs.every(({ status }) => status === 'succeeded');
        checks[`${provider}: it changed while it was read`] = made.created > 5 && made.changed > 5 && made.removed > 5;
        checks[`${provider}: equal in the end`] = isEqual(difference);
        seen.push(
          `${provider}: ${made.created} made, ${made.changed} changed, ${made.removed} removed during ${pages} pages; ${inWords(difference, now)}`,
        );
      }
      return verdict(checks, seen.join('; '));
    }),
};

/** Anywhere in the list: what was read already, what is being read, what is still to come. */
async function changeSome(
  sandbox: SandboxProcess,
  { account, path, provider }: Source,
  ids: string[],
  made: { created: number; changed: number; removed: number },
): Promise<void> {
  const naming = (text: string) => (provider === 'stripe' ? { name: text } : { summary: text });
  const pick = () => Math.floor(Math.random() * ids.length);
  const created = await sandbox.post<{ id: string }>(path, { account, ...naming(`Made ${made.created}`) });
  ids.push(created.id);
  made.created++;
  await sandbox.post(path, { account, id: ids[pick()], ...naming(`Changed ${made.changed}`) });
  made.changed++;
  const [gone] = ids.splice(pick(), 1);
  await sandbox.post(path, { account, id: gone, delete: true });
  made.removed++;
  await sleep(30);
}
