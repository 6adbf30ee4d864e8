import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { SeededRandom } from '../../sandbox/random';
import { productUser } from '../support/product-user';
import { onTrial, verdict } from '../support/way-out-trial';
import { throughService } from './lib/database-door';
import type { Fault } from './lib/fault';
import { quiet, runsOf, startRun } from './lib/sync-runs';
import { until } from './lib/waiting';

const ROOT = join(__dirname, '../..');
/** Events of the usual run for each seed of the lists over HTTP, and for each one of those in one process. */
const EVENTS_A_SEED = 100;
const EVENTS_A_CASE = 10;
const ENDS_WITHIN_MS = 60_000;

/** A window that leaves mails out, and costs no more than the limiter gives at once. */
const ENV = { GOOGLE_MAIL_NEWEST: '60' };
/** Several pages of each list. */
const LISTS = {
  slack: { account: 'T_CUT', seeded: { users: 450, channels: 450 }, resources: ['users', 'channels'] },
  stripe: { account: 'acct_cut', seeded: { customers: 350 }, resources: ['customers', 'subscriptions', 'invoices', 'prices'] },
  google: { account: 'cut@acme.test', seeded: { events: 600, messages: 90 }, resources: ['calendars', 'events', 'messages'] },
} as const;
/** How a page ends a list before its time. */
const CUTS = [
  { kind: 'status', status: 500 },
  { kind: 'status', status: 403 },
  { kind: 'status', status: 404 },
  { kind: 'truncated-json' },
  { kind: 'html-200' },
  { kind: 'cut-body' },
  { kind: 'reset' },
] as const;
const MOST_PAGES = 6;
const NOW = `UPDATE sync_runs SET next_attempt_at = now() WHERE status = 'queued'`;

export const fault: Fault = {
  id: 'F38',
  promise: 'lists of the providers that end at a random page, are filtered or show a window: nothing is taken for deleted',
  stages: ['server', 'embedded'],
  boundS: 3_600,
  run: (stage, services, { events }) =>
    onTrial(
      stage,
      services,
      { workers: true, processes: 1, env: ENV, entry: join(__dirname, 'lib/service.ts') },
      async ({ sandbox, cluster }) => {
        const user = await productUser(cluster);
        const ids = new Map<string, string>();
        for (const [provider, { account, seeded }] of Object.entries(LISTS)) {
          for (const [resource, count] of Object.entries(seeded)) await sandbox.post('/seed', { provider, account, resource, count });
          const id = await user.connect(provider, { account });
          ids.set(provider, id);
          await quiet(user, id);
        }
        const stored = async () =>
          (await throughService<{ resource: string; live: number; gone: number }>(
            cluster,
            `SELECT resource, (count(*) FILTER (WHERE NOT deleted))::int AS live, (count(*) FILTER (WHERE deleted))::int AS gone FROM records GROUP BY 1 ORDER BY 1`,
          )) satisfies object[];
        const before = await stored();
        const random = new SeededRandom(20_261_127);
        const pick = <T>(list: readonly T[]): T => list[random.below(list.length)] as T;
        const seeds = Math.max(8, Math.ceil(events / EVENTS_A_SEED));
        let cut = 0;
        for (let seed = 0; seed < seeds; seed++) {
          const [provider, { account, resources }] = pick(Object.entries(LISTS));
          const id = ids.get(provider) ?? '';
          await sandbox.fault({ ...pick(CUTS), provider, account, after: random.below(MOST_PAGES) });
          const run = await startRun(user, id, 'full', [pick(resources)]);
          const state = async () => (await runsOf(user, id)).find((one) => one.id === run.id);
          await until(async () => {
            const seen = await state();
            return seen !== undefined && (seen.error !== null || !['queued', 'running'].includes(seen.status));
          }, ENDS_WITHIN_MS);
          if ((await state())?.error) cut++;
          await sandbox.clearFaults();
          await throughService(cluster, NOW);
          await quiet(user, id, ENDS_WITHIN_MS);
        }
        const after = await stored();
        const gone = (rows: typeof before) => rows.reduce((sum, row) => sum + row.gone, 0);
        const live = (rows: typeof before) => rows.reduce((sum, row) => sum + row.live, 0);
        const cases = Math.max(30, Math.ceil(events / EVENTS_A_CASE));
        const model = await inOneProcess(cases);
        return verdict(
          {
            'nothing deleted': gone(after) === gone(before),
            'all still there': live(after) >= live(before),
            'lists were cut': cut > 0,
            'the cases in one process': model,
          },
          `${seeds} full walks over ${before.length} lists of 3 providers, ${cut} cut short: ${live(before)} records before, ${live(after)} after, ${gone(after) - gone(before)} deleted; ` +
            `${cases} cases of lists that are cut, filtered, windowed or lack partitions: ${model ? '0 false deletions' : 'FALSE DELETIONS'}`,
        );
      },
    ),
};

/** The cases of `partial-lists.spec.ts`, as many as are asked for. */
async function inOneProcess(cases: number): Promise<boolean> {
  const args = ['node_modules/jest/bin/jest.js', '-w', '1', '--forceExit', 'src/integrations/sync/runs/partial-lists.spec.ts'];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'ignore', env: { ...process.env, SEEDS: String(cases) } });
  const [code] = (await once(child, 'exit')) as [number | null];
  return code === 0;
}
