import { until } from '../../demo/http-client';
import { onTrial, sleep, verdict } from '../support/way-out-trial';
import { productUser } from '../support/product-user';
import { readFeed } from '../support/change-feed';
import type { Fault } from './lib/fault';

const ACCOUNT = 'ada@acme.test';
/** Pages of 250 as the sync asks for them. */
const EVENTS = 2_500;
const PAGE_TAKES_MS = 400;
const ALERT_WITHIN_MS = 30_000;

interface Run {
  readonly id: string;
  readonly status: string;
  readonly counts: { readonly fetched: number };
  readonly error: { readonly code: string } | null;
}

export const fault: Fault = {
  id: 'F9',
  promise:
    'access that is withdrawn in the middle of a sync: one refresh try, needs_reauth, one alert, and after a reconnect nothing is missing',
  stages: ['server'],
  run: (stage, services) =>
    onTrial(stage, services, { workers: true }, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const admin = await productUser(cluster, { user: 'root', role: 'admin' });
      await sandbox.post('/seed', { provider: 'google', account: ACCOUNT, resource: 'events', count: EVENTS });
      await sandbox.fault({ kind: 'latency', provider: 'google', endpoint: 'events.list', latencyMs: PAGE_TAKES_MS });
      const id = await user.connect('google', { account: ACCOUNT });
      const runs = async () => ((await user.call(`/v1/connections/${id}/syncs`)).body as { data: Run[] }).data;
      // Some pages are stored, others are to come.
      await until(
        async () => (await readFeed(user, id, 'events')).size,
        (size) => size >= EVENTS / 4,
        60_000,
      );
      const since = await sandbox.lastSeq();
      await sandbox.post('/tokens/revoke', { provider: 'google', account: ACCOUNT });
      const failed = (await until(runs, (list) => list.every(({ status }) => status !== 'running' && status !== 'queued'), 60_000))[0];
      const kept = await readFeed(user, id, 'events');
      const card = (await user.call(`/v1/connections/${id}`)).body as { status: string };
      const renewals = (await sandbox.requests({ endpoint: 'oauth.token', since })).length;
      const alerts = await until(
        async () =>
          ((await admin.call('/v1/admin/alerts?state=open')).body as { data: { connectionId: string | null }[] }).data.filter(
            ({ connectionId }) => connectionId === id,
          ),
        (found) => found.length > 0,
        ALERT_WITHIN_MS,
      );
      await sleep(2_000);
      const quiet = (await sandbox.requests({ provider: 'google', account: ACCOUNT, since })).length;
      await sleep(2_000);
      const stillQuiet = (await sandbox.requests({ provider: 'google', account: ACCOUNT, since })).length;

      await sandbox.clearFaults();
      const reconnected = await sandbox.lastSeq();
      await user.connect('google', { account: ACCOUNT, connectionId: id });
      await until(runs, (list) => list[0]?.id !== failed?.id && list[0]?.status === 'succeeded', 120_000);
      const after = await readFeed(user, id, 'events');
      const state = await sandbox.get<{ google: Record<string, { calendars: { events: number; cancelled: number }[] }> }>('/state');
      const remote = state.google[ACCOUNT]!.calendars.reduce((sum, { events }) => sum + events, 0);
      const live = [...after.values()].filter((data) => (JSON.parse(data) as { status?: string }).status !== 'cancelled').length;
      const lost = [...kept.keys()].filter((key) => !after.has(key)).length;
      const pages = (await sandbox.requests({ endpoint: 'events.list', account: ACCOUNT, since: reconnected })).length;
      return verdict(
        {
          'one refresh try at most': renewals <= 1,
          needs_reauth: card.status === 'needs_reauth' && failed?.status === 'failed' && failed.error?.code === 'needs_reauth',
          'one alert': alerts.length === 1,
          'nothing more is asked': quiet === stillQuiet,
          'what was stored stays': kept.size >= EVENTS / 4 && kept.size < EVENTS && lost === 0,
          'equal after the reconnect': live === remote,
        },
        `${renewals} refresh try, ${card.status}, ${alerts.length} alert, ${kept.size} records kept; after the reconnect ${live} of ${remote} (${lost} lost) with ${pages} pages`,
      );
    }),
};
