import { until } from '../../demo/http-client';
import { productUser, tally, type ProductUser } from '../support/product-user';
import { onTrial, sleep, verdict } from '../support/way-out-trial';
import type { Fault } from './lib/fault';

const TEAM = 'T_SHARED';
const WHO = [
  { tenant: 'acme', user: 'ada' },
  { tenant: 'acme', user: 'bob' },
  { tenant: 'globex', user: 'cleo' },
  { tenant: 'globex', user: 'dan' },
  { tenant: 'initech', user: 'eve' },
] as const;
const CALLS_EACH = 8;
const TOKEN_ENDPOINT_TAKES_MS = 1_000;
/** Longer than any process keeps a token in memory. */
const CACHE_ENDS_MS = 3_500;
const EXPIRE = `UPDATE tokens SET expires_at = now() - interval '1 second' WHERE grant_id = (SELECT id FROM grants WHERE provider = 'slack' AND account = $1)`;

interface Connected {
  readonly who: (typeof WHO)[number];
  readonly user: ProductUser;
  readonly id: string;
}

export const fault: Fault = {
  id: 'F36',
  promise:
    'one grant under five connections in three organizations: renewed once by all, the others go on when one disconnects and one is erased, revoked with the last',
  stages: ['server', 'embedded'],
  run: (stage, services) =>
    onTrial(stage, services, {}, async ({ sandbox, cluster }) => {
      const seen: string[] = [];
      const checks: Record<string, boolean> = {};
      const all: Connected[] = [];
      for (const who of WHO) {
        const user = await productUser(cluster, who);
        all.push({ who, user, id: await user.connect('slack', { account: TEAM }) });
      }
      const admin = await productUser(cluster, { tenant: 'globex', user: 'root', role: 'admin' });
      const ended = () =>
        Promise.all(['auth.revoke', 'apps.uninstall'].map((endpoint) => sandbox.requests({ endpoint, account: TEAM }))).then(
          ([revoked, uninstalled]) => ({ revoked: revoked?.length ?? 0, uninstalled: uninstalled?.length ?? 0 }),
        );
      /** Everybody calls at once, in all processes, with a token that has ended. */
      const renewal = async (name: string, of: readonly Connected[]) => {
        await sandbox.fault({ kind: 'latency', provider: 'slack', endpoint: 'oauth.v2.access', latencyMs: TOKEN_ENDPOINT_TAKES_MS });
        await sandbox.post('/tokens/expire', { provider: 'slack' });
        await expire(EXPIRE, [TEAM]);
        await sleep(CACHE_ENDS_MS);
        const since = await sandbox.lastSeq();
        const answers = await Promise.all(
          of.flatMap(({ user: by, id }) =>
            Array.from({ length: CALLS_EACH }, (_, member) => by.call(`/v1/connections/${id}/proxy/auth.test`, { method: 'POST', member })),
          ),
        );
        const calls = await sandbox.requests({ endpoint: 'oauth.v2.access', account: TEAM, since });
        await sandbox.clearFaults();
        const good = answers.filter(({ status, body }) => status === 200 && (body as { ok?: boolean }).ok === true).length;
        checks[`${name}: one renewal`] = calls.length === 1;
        checks[`${name}: everybody served`] = good === answers.length;
        seen.push(
          `${name}: ${calls.length} token call for ${of.length} connections, ${good} of ${answers.length} calls served (${tally(answers)})`,
        );
      };
      // The embedded database has one process, and no room for a reader beside it.
      const expire = async (sql: string, params: unknown[]) => {
        if (stage === 'server') return void (await cluster.query(sql, params));
        for (const member of cluster.members) await member.stop();
        await cluster.query(sql, params);
        for (const member of cluster.members) await member.start();
      };

      await renewal('five', all);
      const [ada, bob, cleo, dan, eve] = all as [Connected, Connected, Connected, Connected, Connected];

      const one = (await ada.user.call(`/v1/connections/${ada.id}`, { method: 'DELETE' })).body as { revoked?: boolean };
      const erased = await admin.call(`/v1/admin/users/${cleo.who.user}`, { method: 'DELETE', member: 1 });
      const afterTwo = await ended();
      const gone = [
        await ada.user.call(`/v1/connections/${ada.id}/proxy/auth.test`, { method: 'POST' }),
        await cleo.user.call(`/v1/connections/${cleo.id}`),
      ];
      checks['the disconnected one and the erased one do not go on'] = gone.every(({ status }) => status >= 400 && status < 500);
      checks['nothing revoked while others stand on it'] =
        one.revoked === false && erased.status === 200 && afterTwo.uninstalled === 0 && afterTwo.revoked === 0;
      seen.push(
        `one disconnected (revoked: ${one.revoked}), one erased (${erased.status}), ${afterTwo.revoked + afterTwo.uninstalled} revocations`,
      );

      const rest = [bob, dan, eve];
      const reached = async (who: Connected) => ((await who.user.call(`/v1/connections/${who.id}`)).body as { status?: string }).status;
      checks['the others are connected'] = (await Promise.all(rest.map(reached))).every((status) => status === 'connected');
      await renewal('three', rest);

      const last: boolean[] = [];
      for (const { user: by, id } of rest) {
        const before = await ended();
        const answer = (await by.call(`/v1/connections/${id}`, { method: 'DELETE' })).body as { revoked?: boolean };
        last.push(answer.revoked === true && before.uninstalled === 0);
      }
      const atTheEnd = await until(ended, ({ uninstalled }) => uninstalled > 0, 20_000);
      checks['revoked with the last, once'] = last.join() === 'false,false,true' && atTheEnd.uninstalled === 1;
      for (const member of cluster.members) await member.stop();
      const [left] = await cluster.query<{ tokens: number; grants: number }>(
        `SELECT (SELECT count(*)::int FROM tokens) AS tokens, (SELECT count(*)::int FROM grants WHERE account = $1) AS grants`,
        [TEAM],
      );
      checks['no token is left'] = left?.tokens === 0;
      seen.push(`${atTheEnd.uninstalled} uninstalled, with the last of five; ${left?.tokens} tokens and ${left?.grants} grants left`);
      return verdict(checks, seen.join('; '));
    }),
};
