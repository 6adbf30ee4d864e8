import { onTrial, sleep, verdict } from '../support/way-out-trial';
import { productUser, tally } from '../support/product-user';
import type { Fault } from './lib/fault';

const ENDPOINT_TAKES_MS = [50, 2_000, 12_000];
const CALLERS = 100;
const PROCESSES = 3;
/** Longer than any process keeps a token in memory. */
const CACHE_ENDS_MS = 3_500;
/** The connection's own token, and those of the grant that it shares. */
const EXPIRE = `UPDATE tokens t SET expires_at = now() - interval '1 second' FROM connections c
  WHERE c.id = $1 AND (t.connection_id = c.id OR t.grant_id = c.grant_id)`;

export const fault: Fault = {
  id: 'F10',
  promise: 'many callers in many processes renew a single-use refresh token with exactly one token call, and all get the same token',
  stages: ['server'],
  boundS: 600,
  run: (stage, services) =>
    onTrial(stage, services, { processes: PROCESSES }, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const slack = await user.connect('slack');
      const google = await user.connect('google');
      const seen: string[] = [];
      const checks: Record<string, boolean> = {};
      for (const latencyMs of ENDPOINT_TAKES_MS) {
        // Slack's refresh tokens serve once. The access token has ended by our own clock as well.
        await sandbox.fault({ kind: 'latency', provider: 'slack', endpoint: 'oauth.v2.access', latencyMs });
        await sandbox.post('/tokens/expire', { provider: 'slack' });
        await cluster.query(EXPIRE, [slack]);
        await sleep(CACHE_ENDS_MS);
        let since = await sandbox.lastSeq();
        const asked = await Promise.all(
          cluster.members.map(({ index }) => user.call(`/v1/probe/${slack}/tokens?callers=${CALLERS}`, { method: 'POST', member: index })),
        );
        const proofs = await Promise.all(
          cluster.members.map(({ index }) => user.call(`/v1/connections/${slack}/proxy/auth.test`, { method: 'POST', member: index })),
        );
        const calls = await sandbox.requests({ provider: 'slack', endpoint: 'oauth.v2.access', since });
        const used = await sandbox.requests({ provider: 'slack', endpoint: 'auth.test', since });
        const answers = asked.map(({ body }) => body as { tokens: Record<string, number>; failures: Record<string, number> });
        const tokens = new Set(answers.flatMap((answer) => Object.keys(answer.tokens)));
        const served = answers.flatMap((answer) => Object.values(answer.tokens)).reduce((sum, count) => sum + count, 0);
        checks[`slack ${latencyMs} ms`] =
          calls.length === 1 &&
          calls[0]?.status === 200 &&
          served === CALLERS * PROCESSES &&
          tokens.size === 1 &&
          used.every(({ token }) => tokens.has(token ?? ''));
        checks[`slack ${latencyMs} ms: the token works`] = proofs.every(({ body }) => (body as { ok?: boolean }).ok === true);
        seen.push(`${latencyMs} ms: ${calls.length} token call, ${served} callers served, ${tokens.size} token`);

        // The same over HTTP: every call finds its token refused with 401.
        await sandbox.fault({ kind: 'latency', provider: 'google', endpoint: 'oauth.token', latencyMs });
        await sandbox.post('/tokens/expire', { provider: 'google' });
        since = await sandbox.lastSeq();
        const proxied = await Promise.all(
          Array.from({ length: CALLERS * PROCESSES }, (_, index) =>
            user.call(`/v1/connections/${google}/proxy/gmail/v1/users/me/profile`, { member: index }),
          ),
        );
        const renewals = await sandbox.requests({ provider: 'google', endpoint: 'oauth.token', since });
        checks[`google ${latencyMs} ms`] = renewals.length === 1 && proxied.every(({ status }) => status === 200);
        seen.push(`over HTTP: ${renewals.length} token call, ${tally(proxied)}`);
        await sandbox.clearFaults();
      }
      return verdict(checks, seen.join('; '));
    }),
};
