import { until } from '../../demo/http-client';
import { onTrial, verdict } from '../support/way-out-trial';
import { productUser, type ProductUser } from '../support/product-user';
import { readFeed } from '../support/change-feed';
import type { Fault } from './lib/fault';

/** What comes instead of a page, and how the run is told of it. */
const PAGES: Readonly<Record<string, string>> = {
  'truncated-json': 'provider_bad_answer',
  'html-200': 'provider_bad_answer',
  'wrong-content-type': 'provider_bad_answer',
  'gzip-bomb': 'response_too_large',
};
const ENDPOINT = 'events.list';

interface Run {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string } | null;
}

export const fault: Fault = {
  id: 'F15',
  promise:
    'a page that cannot be read is not stored in part: the cursor stays, the error says what it is, and the next run brings everything',
  stages: ['server', 'embedded'],
  boundS: 420,
  run: (stage, services) =>
    onTrial(stage, services, { workers: true }, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const seen: string[] = [];
      const checks: Record<string, boolean> = {};
      for (const [kind, code] of Object.entries(PAGES)) {
        // An account each: a page that is too large ends its run, the others are tried again.
        const account = `${kind}@acme.test`;
        const id = await user.connect('google', { account });
        await ended(user, id);
        const before = await readFeed(user, id, 'events');
        await sandbox.fault({ kind, provider: 'google', endpoint: ENDPOINT, account });
        // Not told by a notification: the run that is asked for finds it.
        await sandbox.post('/seed', { provider: 'google', account, resource: 'events', count: 3 });
        const since = await sandbox.lastSeq();
        const started = (await user.call(`/v1/connections/${id}/syncs`, { body: { type: 'incremental', resources: ['events'] } }))
          .body as Run;
        const failing = await until(
          () => runOf(user, id, started.id),
          (run) => run?.error != null || run?.status === 'failed',
          60_000,
        );
        const during = await readFeed(user, id, 'events');
        await sandbox.clearFaults();
        await until(
          () => runOf(user, id, started.id),
          (run) => run?.status === 'succeeded' || run?.status === 'failed',
          90_000,
        );
        if (failing?.status === 'failed') {
          const again = (await user.call(`/v1/connections/${id}/syncs`, { body: { type: 'incremental', resources: ['events'] } }))
            .body as Run;
          await until(
            () => runOf(user, id, again.id),
            (run) => run?.status === 'succeeded',
            60_000,
          );
        }
        const after = await readFeed(user, id, 'events');
        const requests = await sandbox.requests({ endpoint: ENDPOINT, account, since });
        const good = requests.filter(({ fault }) => fault === undefined);
        const calendars = new Set(good.map(({ path }) => path)).size;
        checks[`${kind}: a clear error`] = failing?.error?.code === code;
        checks[`${kind}: nothing of it stored`] =
          during.size === before.size && [...before].every(([key, data]) => during.get(key) === data);
        checks[`${kind}: everything afterwards`] = after.size === before.size + 3;
        // From the same cursor: one page a calendar brings what is new. A cursor that had moved would miss it, a lost one read all again.
        checks[`${kind}: from the same cursor`] = good.length <= calendars * 2;
        seen.push(
          `${kind}: ${failing?.error?.code}, ${during.size - before.size} stored, then ${after.size - before.size} new in ${good.length} pages`,
        );
      }
      return verdict(checks, seen.join('; '));
    }),
};

async function runOf(user: ProductUser, connection: string, id: string): Promise<Run | undefined> {
  return ((await user.call(`/v1/connections/${connection}/syncs`)).body as { data: Run[] }).data.find((run) => run.id === id);
}

async function ended(user: ProductUser, connection: string): Promise<void> {
  await until(
    async () => ((await user.call(`/v1/connections/${connection}/syncs`)).body as { data: Run[] }).data,
    (runs) => runs.length > 0 && runs.every(({ status }) => status === 'succeeded'),
    60_000,
  );
}
