import { join } from 'node:path';
import { productUser } from '../support/product-user';
import { onTrial, verdict } from '../support/way-out-trial';
import { AlertReceiver, type AlertSeen } from './lib/alert-receiver';
import { throughService } from './lib/database-door';
import type { Fault } from './lib/fault';
import { seconds, sleep, until } from './lib/waiting';

const TENANTS = ['acme', 'globex'] as const;
/** Server errors in five minutes above which there is an alert. */
const ABOVE = 10;
const ERRORS_WITHIN_MS = 120_000;
const TOLD_WITHIN_MS = 60_000;
/** The rules look every ten seconds: several looks more. */
const LOOKS_MS = 35_000;

export const fault: Fault = {
  id: 'F30',
  promise:
    'an outage that two organizations and calls without a connection meet: one alert for each organization, one for the operator, all closed afterwards',
  stages: ['server', 'embedded'],
  boundS: 420,
  async run(stage, services) {
    const receiver = await AlertReceiver.start();
    const options = { workers: true, env: receiver.env, entry: join(__dirname, 'lib/service.ts') };
    return onTrial(stage, services, options, async ({ sandbox, cluster }) => {
      const users = await Promise.all(TENANTS.map((tenant) => productUser(cluster, { tenant })));
      const operator = await productUser(cluster, { user: 'root', role: 'operator' });
      const ids = await Promise.all(users.map((user, n) => user.connect('google', { account: `person${n}@acme.test` })));
      const stranger = await productUser(cluster, { tenant: 'initech' });
      // The page on which a person consents is up: the exchange of a code is what fails without a connection.
      for (const endpoint of ['gmail.*', 'oauth.token']) await sandbox.fault({ kind: 'status', provider: 'google', endpoint, status: 503 });

      let over = false;
      const callers = users.map(async (user, n) => {
        for (let member = 0; !over; member++) {
          await user.call(`/v1/connections/${ids[n]}/proxy/gmail/v1/users/me/profile`, { member }).catch(() => undefined);
          await sleep(200);
        }
      });
      // The exchange of a code is a call of nobody's connection.
      const connecting = (async () => {
        while (!over) await stranger.connect('google', { account: 'new@acme.test' }).catch(() => sleep(200));
      })();
      const errors = () =>
        throughService<{ tenant: string; n: number }>(
          cluster,
          `SELECT coalesce(tenant, '') AS tenant, sum(server_errors)::int AS n FROM request_buckets WHERE provider = 'google' GROUP BY 1`,
        );
      const enough = async () => {
        const rows = await errors().catch(() => []);
        return ['', ...TENANTS].every((tenant) => (rows.find((row) => row.tenant === tenant)?.n ?? 0) > ABOVE);
      };
      const metMs = await until(enough, ERRORS_WITHIN_MS, 500);
      over = true;
      await Promise.all([...callers, connecting]);
      const counted = await errors();

      const outage = () => receiver.atWebhook().filter(({ kind }) => kind === 'provider_errors');
      const opened = () => outage().filter(({ type }) => type === 'alert.opened');
      await until(() => opened().length >= TENANTS.length + 1, TOLD_WITHIN_MS);
      await sleep(LOOKS_MS);
      const told = opened();
      const early = outage().length - told.length;
      const listed = await Promise.all(
        TENANTS.map(async (tenant) => {
          const admin = await productUser(cluster, { tenant, user: 'grace', role: 'admin' });
          const { data } = (await admin.call('/v1/admin/alerts?state=open')).body as { data: { kind: string }[] };
          return data.filter(({ kind }) => kind === 'provider_errors').length;
        }),
      );
      await sandbox.clearFaults();
      // As time would: the errors are of ten minutes ago.
      await throughService(cluster, `UPDATE request_buckets SET minute = minute - interval '10 minutes'`);
      await until(() => outage().length - opened().length >= told.length, TOLD_WITHIN_MS);
      await sleep(LOOKS_MS);
      const closed = outage().filter(({ type }) => type === 'alert.resolved');
      const { data: open } = (await operator.call('/v1/admin/alerts?state=open')).body as { data: { kind: string }[] };
      const left = open.filter(({ kind }) => kind === 'provider_errors').length;
      const wanted = ['', ...TENANTS].sort().join();
      return verdict(
        {
          'all met the outage': metMs !== undefined,
          'one alert for each organization and one for the operator': tenantsOf(told) === wanted,
          'each administrator sees one': listed.every((n) => n === 1),
          'none closed while it lasted': early === 0,
          'each closed once afterwards': tenantsOf(closed) === wanted && left === 0,
          'nothing opened again': opened().length === told.length,
        },
        `${counted.map(({ tenant, n }) => `${n} errors ${tenant === '' ? 'of no connection' : `of ${tenant}`}`).join(', ')} after ${seconds(metMs)}; ` +
          `${told.length} opened (${told.map(({ tenant }) => tenant ?? 'operator').join(', ')}), administrators see ${listed.join(' and ')}; ${closed.length} closed, ${left} left open`,
      );
    });
  },
};

function tenantsOf(alerts: readonly AlertSeen[]): string {
  return alerts
    .map(({ tenant }) => tenant ?? '')
    .sort()
    .join();
}
