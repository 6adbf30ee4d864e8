import { productUser } from '../support/product-user';
import { onTrial, verdict } from '../support/way-out-trial';
import type { Fault } from './lib/fault';
import { compareSets, inWords, isEqual, remoteReader, storedSet } from './lib/remote-sets';
import { quiet, runsOf, startRun } from './lib/sync-runs';

const ACCOUNT = 'expired@acme.test';
const EVENTS = 1_000;
const CHANGES = 20;
const PAGE_TAKES_MS = 400;
const ENDPOINT = 'events.list';

export const fault: Fault = {
  id: 'F19',
  promise: 'a sync cursor that the provider forgot: all is read again, the final set is equal, and what was stored is served meanwhile',
  stages: ['server', 'embedded'],
  run: (stage, services) =>
    onTrial(stage, services, { workers: true }, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      await sandbox.post('/seed', { provider: 'google', account: ACCOUNT, resource: 'events', count: EVENTS });
      const id = await user.connect('google', { account: ACCOUNT });
      await quiet(user, id);
      const remote = await remoteReader(sandbox, 'google', ACCOUNT);
      const before = await storedSet(user, id, 'events');

      // Forgotten first: whatever tells the service of the changes, it can only come with an expired cursor.
      const since = await sandbox.lastSeq();
      await sandbox.fault({ kind: 'latency', provider: 'google', endpoint: ENDPOINT, latencyMs: PAGE_TAKES_MS });
      await sandbox.post('/cursors/expire', { provider: 'google', account: ACCOUNT });
      const ids = [...before.keys()].slice(0, 2 * CHANGES);
      const gone = new Set(ids.slice(0, CHANGES));
      for (const event of ids.slice(CHANGES)) await change(sandbox, { id: event, summary: 'Moved' });
      for (const event of gone) await change(sandbox, { id: event, delete: true });
      for (let number = 0; number < CHANGES; number++) await change(sandbox, { summary: `New ${number}` });
      await startRun(user, id, 'incremental', ['events']);

      const kept = [...before.keys()].filter((event) => !gone.has(event));
      let reads = 0;
      let unserved = 0;
      do {
        const served = await storedSet(user, id, 'events');
        unserved = Math.max(unserved, kept.filter((event) => !served.has(event)).length);
        reads++;
      } while ((await runsOf(user, id)).some(({ status }) => status === 'queued' || status === 'running'));
      await sandbox.clearFaults();
      const [latest] = await quiet(user, id);

      const asked = await remote.requests(ENDPOINT, since);
      const refused = asked.filter(({ status }) => status === 410).length;
      const there = await remote.events();
      const difference = compareSets(there, await storedSet(user, id, 'events'));
      return verdict(
        {
          'the cursor was refused': refused > 0,
          'the run ended well': latest?.status === 'succeeded',
          'old records were served meanwhile': reads > 1 && unserved === 0,
          'the final set is equal': isEqual(difference),
        },
        `${refused} cursor refused with 410, ${asked.length - refused} pages read again; ${reads} reads meanwhile, ${unserved} of ${kept.length} old records not served; in the end ${inWords(difference, there)}`,
      );
    }),
};

function change(sandbox: { post(path: string, body: object): Promise<unknown> }, event: object): Promise<unknown> {
  return sandbox.post('/google/events', { account: ACCOUNT, ...event });
}
