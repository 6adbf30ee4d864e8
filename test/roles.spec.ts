import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { signedDelivery } from '../src/integrations/webhooks/testing';
import { startCluster, type Cluster } from './support/service-cluster';

const { TEST_DATABASE_URL: databaseUrl, TEST_REDIS_URL: redisUrl } = process.env;
const SECRET = 'whsec_roles-of-processes';
/** More than two rounds of the sweeper. */
const WATCHED_MS = 5_000;

if (!databaseUrl || !redisUrl) console.warn('TEST_DATABASE_URL and TEST_REDIS_URL are not set: processes of two roles were not tried.');

(databaseUrl && redisUrl ? describe : describe.skip)('processes of two roles', () => {
  let cluster: Cluster;
  beforeAll(async () => {
    cluster = await startCluster({
      entry: join(__dirname, '../src/main.ts'),
      processes: 2,
      databaseUrl,
      redisUrl,
      env: { STRIPE_WEBHOOK_SECRET: SECRET, METRICS_PUBLIC: 'true' },
      envOf: (index) => ({ ROLE: index === 0 ? 'api' : 'worker' }),
    });
  }, 240_000);
  afterAll(() => cluster?.stop());

  const [api, worker] = [() => cluster.members[0]!, () => cluster.members[1]!];
  const deliver = (url: string, id: string) => {
    const body = { id, object: 'event', type: 'charge.succeeded', created: Math.floor(Date.now() / 1_000), data: { object: {} } };
    return fetch(`${url}/webhooks/stripe`, { method: 'POST', ...signedDelivery({ as: 'stripe', secret: SECRET, body }) } as RequestInit);
  };
  const statusOf = async (id: string) =>
    (await cluster.query<{ status: string }>('SELECT status FROM webhook_events WHERE event_id = $1', [id]))[0]?.status;

  it('an api alone stores what comes in and works off nothing; a worker alone does that', async () => {
    await worker().stop();
    const id = `evt_${randomUUID()}`;
    expect((await deliver(api().url, id)).status).toBe(200);
    for (const end = performance.now() + WATCHED_MS; performance.now() < end; await new Promise((resolve) => setTimeout(resolve, 100)))
      expect(await statusOf(id)).toBe('received');

    expect(await api().stop()).toBe(0);
    await worker().start();
    for (const end = performance.now() + 60_000; (await statusOf(id)) !== 'completed' && performance.now() < end;)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await statusOf(id)).toBe('completed');
    await api().start();
  }, 240_000);

  it('a worker answers who watches over it, and nobody else', async () => {
    const id = `evt_${randomUUID()}`;
    const delivered = await deliver(worker().url, id);
    expect([delivered.status, await delivered.json()]).toEqual([
      404,
      expect.objectContaining({ code: 'not_found', nextStep: expect.stringContaining('ROLE=api') }),
    ]);
    expect(await statusOf(id)).toBeUndefined();
    const authorization = `Bearer ${await cluster.tokenFor({ tenant: 'acme', user: 'ada' })}`;
    for (const [path, ofWorker, ofApi] of [
      ['/health/live', 200, 200],
      ['/health/ready', 200, 200],
      ['/metrics', 200, 200],
      ['/v1/providers', 404, 200],
      ['/settings/integrations', 404, 401],
      ['/docs-json', 404, 200],
    ] as const) {
      const statuses = await Promise.all(
        [worker(), api()].map(({ url }) => fetch(url + path, { headers: { authorization }, redirect: 'manual' })),
      );
      expect([path, ...statuses.map(({ status }) => status)]).toEqual([path, ofWorker, ofApi]);
    }
  }, 60_000);
});
