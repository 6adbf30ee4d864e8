import { join } from 'node:path';
import { productUser } from '../support/product-user';
import { onTrial, verdict } from '../support/way-out-trial';
import { AlertReceiver } from './lib/alert-receiver';
import { throughService } from './lib/database-door';
import type { Fault } from './lib/fault';
import { compareSets, isEqual, remoteReader, storedSet } from './lib/remote-sets';
import { runsOf, quiet } from './lib/sync-runs';
import { seconds, sleep, until } from './lib/waiting';

const ACCOUNT = 'part@acme.test';
const DAYS = 7;
const RUN_WITHIN_MS = 90_000;
const TOLD_WITHIN_MS = 60_000;
const LOOKS_MS = 25_000;
const REFUSED = { error: { code: 403, status: 'PERMISSION_DENIED', message: 'no', errors: [{ reason: 'insufficientPermissions' }] } };
const FAILING = { kind: 'status', status: 403, body: REFUSED, provider: 'google', endpoint: 'gmail.*', account: ACCOUNT };
const DUE = `UPDATE sync_schedules SET next_incremental_at = now(), next_due_at = now() WHERE enabled`;
const FULL_DUE = `UPDATE sync_schedules SET next_full_at = now(), next_due_at = now() WHERE enabled`;
/** Of what cannot be read as well. */
const A_DAY_PASSES = `UPDATE sync_parts SET next_try_at = next_try_at - interval '1 day' WHERE failures > 0`;

export const fault: Fault = {
  id: 'F37',
  promise:
    'one part (the mails) cannot be read for a week of syncs: everything else is fresh, lastSync is true, and the part is named once',
  stages: ['server', 'embedded'],
  boundS: 600,
  async run(stage, services) {
    const receiver = await AlertReceiver.start();
    const options = { workers: true, env: receiver.env, entry: join(__dirname, 'lib/service.ts'), processes: 2 };
    return onTrial(stage, services, options, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const id = await user.connect('google', { account: ACCOUNT });
      await quiet(user, id);
      const remote = await remoteReader(sandbox, 'google', ACCOUNT);
      const mails = (await storedSet(user, id, 'messages')).size;
      const lastSync = async () => Date.parse(String(((await user.call(`/v1/connections/${id}`)).body as { lastSync: string }).lastSync));
      // What the provider tells of is read by runs of its own, which do not ask for the mails.
      const overAll = async () => (await runsOf(user, id)).filter(({ resources }) => resources.length === 0);
      const endedRuns = async () => (await overAll()).filter(({ status }) => !['queued', 'running'].includes(status)).length;
      await sandbox.fault(FAILING);
      let fresh = 0;
      let trueTimes = 0;
      const ends: string[] = [];
      for (let day = 0; day < DAYS; day++) {
        await sandbox.post('/google/events', { account: ACCOUNT, summary: `Day ${day}` });
        const [runs, before] = [await endedRuns(), await lastSync()];
        await throughService(cluster, A_DAY_PASSES);
        await throughService(cluster, day % 2 === 0 ? FULL_DUE : DUE);
        await until(async () => (await endedRuns()) > runs, RUN_WITHIN_MS, 200);
        await quiet(user, id, RUN_WITHIN_MS);
        const [run] = await overAll();
        ends.push(`${run?.status}${run?.error ? ` (${run.error.code})` : ''}`);
        if (isEqual(compareSets(await remote.events(), await storedSet(user, id, 'events')))) fresh++;
        if ((await lastSync()) > before) trueTimes++;
      }
      const told = () => receiver.atWebhook().filter(({ kind }) => kind.startsWith('sync_'));
      const toldMs = await until(() => told().length > 0, TOLD_WITHIN_MS);
      await sleep(LOOKS_MS);
      const during = told();
      const card = (await user.call(`/v1/connections/${id}`)).body as { status: string };
      const kept = (await storedSet(user, id, 'messages')).size;
      const named = receiver.atChat().filter((text) => text.includes('Mail'));

      await sandbox.clearFaults();
      await throughService(cluster, A_DAY_PASSES);
      await throughService(cluster, FULL_DUE);
      const closedMs = await until(() => told().some(({ type }) => type === 'alert.resolved'), RUN_WITHIN_MS + TOLD_WITHIN_MS, 200);
      return verdict(
        {
          'the rest was fresh each day': fresh === DAYS,
          'lastSync moved each day': trueTimes === DAYS,
          'the connection stayed': card.status === 'connected',
          'the mails that were there are there': kept === mails && mails > 0,
          'told once, and named': during.length === 1 && named.length === 1,
          'closed when it could be read again': closedMs !== undefined && told().length === 2,
        },
        `${DAYS} days: ends ${[...new Set(ends)].join(', ')}, events fresh on ${fresh}, lastSync moved on ${trueTimes}, ${kept} of ${mails} mails kept; ` +
          `${during.length} alert after ${seconds(toldMs)} (${named[0] ?? 'none names the part'}), closed ${seconds(closedMs)} after it could be read`,
      );
    });
  },
};
