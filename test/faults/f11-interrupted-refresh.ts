import { until } from '../../demo/http-client';
import { onTrial, verdict } from '../support/way-out-trial';
import { productUser, type ApiAnswer } from '../support/product-user';
import type { Fault } from './lib/fault';

const ALERT_WITHIN_MS = 30_000;

export const fault: Fault = {
  id: 'F11',
  promise: 'a crash between the rotation at the provider and our commit is noticed and named, and not tried again and again',
  stages: ['server'],
  boundS: 420,
  run: (stage, services) =>
    // Only the last process has workers: it looks for alerts and is not the one that is killed.
    onTrial(stage, services, { envOf: (index) => ({ WORKERS: String(index === 2) }) }, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const admin = await productUser(cluster, { user: 'root', role: 'admin' });
      const seen: string[] = [];
      const checks: Record<string, boolean> = {};
      const ways = {
        // The new pair is on its way while the process dies.
        'kill -9': async (call: Promise<unknown>) => {
          await until(
            () => sandbox.requests({ endpoint: 'oauth.v2.access', account: 'T_KILLED' }),
            (calls) => calls.some(({ fault }) => fault === 'hang-after'),
          );
          await cluster.members[0]!.kill();
          await call;
          await cluster.members[0]!.start();
        },
        // The answer is lost on its way.
        'answer lost': (call: Promise<unknown>) => call,
      };
      for (const [way, happens] of Object.entries(ways)) {
        const account = way === 'kill -9' ? 'T_KILLED' : 'T_LOST';
        const id = await user.connect('slack', { account });
        const probe = (member: number) => user.call(`/v1/connections/${id}/proxy/auth.test`, { method: 'POST', member });
        await until(
          () => user.call(`/v1/connections/${id}/syncs`),
          ({ body }) => (body as { data: { status: string }[] }).data[0]?.status === 'succeeded',
        );
        await probe(0);
        const since = await sandbox.lastSeq();
        await sandbox.fault({
          kind: way === 'kill -9' ? 'hang-after' : 'drop-after-rotate',
          provider: 'slack',
          endpoint: 'oauth.v2.access',
          account,
          count: 1,
        });
        await sandbox.post('/tokens/expire', { provider: 'slack', account });
        await happens(probe(0).catch(() => undefined));
        await sandbox.clearFaults();
        // Until somebody tells the outcome; then everybody, again and again.
        const code = ({ body }: ApiAnswer) => (body as { code?: string }).code;
        const told = await until(
          () => probe(1),
          (answer) => code(answer) === 'refresh_interrupted',
          60_000,
        );
        const later = await Promise.all(Array.from({ length: 30 }, (_, index) => probe(index)));
        const calls = await sandbox.requests({ provider: 'slack', endpoint: 'oauth.v2.access', account, since });
        const renewals = calls.filter(({ detail }) => detail?.['grantType'] === 'refresh_token');
        const card = (await user.call(`/v1/connections/${id}`)).body as { status: string; error: { code: string } | null };
        const alerts = await until(
          async () =>
            (
              (await admin.call('/v1/admin/alerts?state=open')).body as { data: { connectionId: string | null; detail: string }[] }
            ).data.filter(({ connectionId }) => connectionId === id),
          (found) => found.length > 0,
          ALERT_WITHIN_MS,
        );
        checks[`${way}: told`] = code(told) === 'refresh_interrupted' && later.every((answer) => code(answer) === 'refresh_interrupted');
        checks[`${way}: marked`] = card.status === 'needs_reauth' && card.error?.code === 'refresh_interrupted';
        checks[`${way}: not looped`] = renewals.length <= 2;
        checks[`${way}: one alert naming the cause`] = alerts.length === 1 && /interrupted/.test(alerts[0]!.detail);
        await user.connect('slack', { account, connectionId: id });
        checks[`${way}: works after reconnecting`] = ((await probe(2)).body as { ok?: boolean }).ok === true;
        seen.push(`${way}: ${renewals.length} token calls, ${card.status} (${card.error?.code}), ${alerts.length} alert`);
      }
      return verdict(checks, seen.join('; '));
    }),
};
