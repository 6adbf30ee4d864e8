import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { startSandboxProcess, type SandboxProcess } from '../test/support/sandbox-process';
import { startCluster, type Cluster } from '../test/support/service-cluster';
import { productUser } from '../test/support/product-user';
import { ask, json, startCallers, startRival, type Figures } from './callers/callers';
import { check, notRun, summary, type Arm, type ArmResult, type Benchmark, type Check, type Services } from './lib/benchmark';
import { interleave, times } from './lib/rounds';
import { QUICK, ROUNDS } from './lib/run-options';

const CONCURRENCY = 50;
const READS = QUICK ? 20_000 : 200_000;
const SELECTS = READS / 20;
const PROCESSES = 3;
const CALLERS = 100;
const ENDPOINT_TAKES_MS = [50, 2_000, 12_000];
/** Longer than a token is kept in memory. */
const CACHE_ENDS_MS = 3_500;
const TEAM = 'T_ACME';

const CACHED = 'ours: hot read';
const SELECT = 'limit: SELECT by primary key';

export const benchmark: Benchmark = {
  id: 'B7',
  title: `tokens: hot reads, and a refresh storm of ${CALLERS} callers in each of ${PROCESSES} processes`,
  async run(services) {
    const { databaseUrl, redisUrl } = services;
    if (!databaseUrl || !redisUrl) return { arms: [], checks: [notRun('B7', 'needs a Postgres server and Redis')] };
    const hot = await hotReads(databaseUrl);
    const storm = await storms({ databaseUrl, redisUrl });
    return { arms: [...hot.arms, ...storm.arms], checks: [...hot.checks, ...storm.checks] };
  },
};

async function hotReads(databaseUrl: string): Promise<{ arms: readonly ArmResult[]; checks: Check[] }> {
  const origin = await startRival('json-origin.cjs');
  const cluster = await startCallers({ processes: 1, databaseUrl, env: { REDIS_URL: '' } });
  try {
    const { connectionId, tokenId } = await ask<{ connectionId: string; tokenId: string }>(cluster, 0, 'providers', {
      origin: origin.url,
      connect: true,
    });
    const select = await startRival('token-select.cjs', { DATABASE_URL: cluster.databaseUrl!, TOKEN_ID: tokenId });
    const arm = (name: string, run: (calls: number, concurrency: number) => Promise<Figures>, calls: number): Arm => ({
      name,
      unit: 'reads/s',
      round: async () => (await run(calls, CONCURRENCY)).perSecond,
    });
    try {
      const cached = (calls: number, concurrency: number) => ask<Figures>(cluster, 0, `${connectionId}/tokens`, { calls, concurrency });
      const rounds = await interleave([arm(CACHED, cached, READS), arm(SELECT, select.run, SELECTS)], ROUNDS);
      const ratio = rounds.ratio(CACHED, SELECT);
      return { arms: rounds.arms, checks: [check('hot read / SELECT', '>= 10x', times(ratio), ratio.median >= 10)] };
    } finally {
      await select.kill();
    }
  } finally {
    await origin.kill();
    await cluster.stop();
  }
}

/** Slack's refresh tokens serve once; the provider's ledger counts. */
async function storms(services: Required<Services>): Promise<{ arms: ArmResult[]; checks: Check[] }> {
  const sandbox = await startSandboxProcess();
  const cluster = await startCluster({
    entry: join(__dirname, '../test/support/processes/service-with-probe.ts'),
    processes: PROCESSES,
    ...services,
    env: { ...sandbox.env, WORKERS: 'false', REQUESTS_PER_SECOND: '1000000' },
  });
  try {
    await cluster.query('CREATE TABLE rival_tokens (access_token text, refresh_token text, expires_at timestamptz)');
    const arms: ArmResult[] = [];
    const checks: Check[] = [];
    const note = (name: string, calls: number) => arms.push(summary(name, 'token calls', [calls]));
    for (const latencyMs of ENDPOINT_TAKES_MS) {
      await sandbox.fault({ kind: 'latency', provider: 'slack', endpoint: 'oauth.v2.access', latencyMs });
      const ours = await ourStorm(sandbox, cluster);
      const seen = `${ours.calls} refresh, ${ours.served} of ${CALLERS * PROCESSES} callers served with ${ours.tokens} token`;
      note(`ours, endpoint takes ${latencyMs} ms`, ours.calls);
      checks.push(
        check(
          `ours, endpoint takes ${latencyMs} ms`,
          'exactly 1 refresh, all served with 1 token',
          seen,
          ours.calls === 1 && ours.served === CALLERS * PROCESSES && ours.tokens === 1,
        ),
      );
      for (const [name, lock] of [
        ['naive', 'none'],
        ['10 s Redis lock', 'redis'],
      ] as const) {
        note(`${name}, endpoint takes ${latencyMs} ms`, await rivalStorm(sandbox, cluster, services.redisUrl, lock));
      }
      await sandbox.clearFaults();
    }
    return { arms, checks };
  } finally {
    await cluster.stop();
    await sandbox.stop();
  }
}

async function ourStorm(sandbox: SandboxProcess, cluster: Cluster): Promise<{ calls: number; served: number; tokens: number }> {
  const user = await productUser(cluster);
  const id = await user.connect('slack', { account: TEAM });
  // Its own, or in a slot of its grant.
  const ended = await cluster.query<{ id: string }>(
    `UPDATE tokens t SET expires_at = now() - interval '1 second' FROM connections c
     WHERE c.id = $1 AND (t.connection_id = c.id OR t.grant_id = c.grant_id) RETURNING t.id`,
    [id],
  );
  if (ended.length === 0) throw new Error('the connection has no token that could end');
  await new Promise((resolve) => setTimeout(resolve, CACHE_ENDS_MS));
  const since = await sandbox.lastSeq();
  const answers = await Promise.all(
    cluster.members.map(({ index }) => user.call(`/v1/probe/${id}/tokens?callers=${CALLERS}`, { method: 'POST', member: index })),
  );
  const counts = answers.map(({ body }) => (body as { tokens: Record<string, number> }).tokens);
  return {
    calls: (await refreshes(sandbox, since)).length,
    served: counts.flatMap((each) => Object.values(each)).reduce((sum, count) => sum + count, 0),
    tokens: new Set(counts.flatMap((each) => Object.keys(each))).size,
  };
}

async function rivalStorm(sandbox: SandboxProcess, cluster: Cluster, redisUrl: string, lock: string): Promise<number> {
  const pair = await sandbox.post<{ access_token: string; refresh_token: string }>('/tokens/mint', {
    provider: 'slack',
    account: `T_RIVAL_${randomUUID().slice(0, 8)}`,
    scopes: ['chat:write'],
  });
  await cluster.query('DELETE FROM rival_tokens');
  await cluster.query(`INSERT INTO rival_tokens VALUES ($1, $2, now() - interval '1 second')`, [pair.access_token, pair.refresh_token]);
  const env = {
    LOCK: lock,
    PREFIX: `bench-${randomUUID()}`,
    DATABASE_URL: cluster.databaseUrl!,
    REDIS_URL: redisUrl,
    TOKEN_URL: sandbox.env['SLACK_TOKEN_URL']!,
    CLIENT_ID: sandbox.env['SLACK_CLIENT_ID']!,
    CLIENT_SECRET: sandbox.env['SLACK_CLIENT_SECRET']!,
  };
  const processes = await Promise.all(Array.from({ length: PROCESSES }, () => startRival('token-refresh.cjs', env)));
  try {
    const since = await sandbox.lastSeq();
    await Promise.all(processes.map(({ url }) => json(`${url}/run?calls=${CALLERS}&concurrency=${CALLERS}`)));
    return (await refreshes(sandbox, since)).length;
  } finally {
    await Promise.all(processes.map((each) => each.kill()));
  }
}

function refreshes(sandbox: SandboxProcess, since: number) {
  return sandbox
    .requests({ provider: 'slack', endpoint: 'oauth.v2.access', since })
    .then((calls) => calls.filter(({ detail }) => detail?.['grantType'] === 'refresh_token'));
}
