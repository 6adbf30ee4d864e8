import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../demo/http-client';
import { atEnd } from './lib/clean-up';
import { readFeed } from '../support/change-feed';
import { productUser } from '../support/product-user';
import { onTrial, sleep, verdict } from '../support/way-out-trial';
import type { Fault } from './lib/fault';

const ACCOUNT = 'acct_1SandboxAcme';
const CUSTOMERS = 40;
const CHANGES = 4;
const DAY_MS = 24 * 60 * 60 * 1_000;
/** The first moment after the return: as many calls at once as the recovering circuits let through, and no more. */
const FIRST_MOMENT_MS = 100;
const CALLERS = 60;
const PROCESSES = 3;

/**
 * A day without the provider: real minutes would not do, so the processes' clocks are moved ahead by a day in the middle of a shorter outage. What waits
 * in the database's own time (retries of events) waits for real.
 */
export const fault: Fault = {
  id: 'F28',
  promise:
    'a provider that was down for a day (clocks moved ahead) is asked by single probes, returns without a herd, and the backlog ends in the newest state of each object',
  stages: ['server'],
  boundS: 600,
  async run(stage, services) {
    const folder = await mkdtemp(join(tmpdir(), 'trestle-clock-'));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    const shift = join(folder, 'shift');
    writeFileSync(shift, '0');
    const options = { processes: PROCESSES, workers: true, webhooks: true, env: { CLOCK_SHIFT_FILE: shift } };
    return onTrial(stage, services, options, async ({ sandbox, cluster }) => {
      const user = await productUser(cluster);
      const operator = await productUser(cluster, { user: 'root', role: 'operator' });
      const id = await user.connect('stripe', { account: ACCOUNT });
      const runs = async () => ((await user.call(`/v1/connections/${id}/syncs`)).body as { data: { status: string }[] }).data;
      await until(runs, (list) => list.length > 0 && list.every(({ status }) => status === 'succeeded'), 60_000);

      // The API is down; events still come, and ask for what the API has.
      await sandbox.fault({ kind: 'status', status: 503, provider: 'stripe' });
      const down = await sandbox.lastSeq();
      const customers: string[] = [];
      for (let n = 0; n < CUSTOMERS; n++)
        customers.push((await sandbox.post<{ id: string }>('/stripe/customers', { account: ACCOUNT, name: `Customer ${n}, change 0` })).id);
      for (let change = 1; change <= CHANGES; change++) {
        for (const [n, customer] of customers.entries())
          await sandbox.post('/stripe/customers', { account: ACCOUNT, id: customer, name: `Customer ${n}, change ${change}` });
      }
      await sandbox.post('/deliveries/settle', { timeoutMs: 30_000 });
      const circuit = async () => ((await operator.call('/v1/admin/health/stripe')).body as { circuit: string }).circuit;
      const opened = await until(circuit, (state) => state !== 'closed', 30_000);
      await sleep(5_000);
      writeFileSync(shift, String(DAY_MS));
      const next = await sandbox.lastSeq();
      await sleep(15_000);
      const probes = (await sandbox.requests({ provider: 'stripe', since: next })).length;
      const before = (await sandbox.requests({ provider: 'stripe', since: down })).length;

      // It is back, a little slow as after any outage, and everybody wants something of it.
      await sandbox.clearFaults();
      await sandbox.fault({ kind: 'latency', provider: 'stripe', latencyMs: FIRST_MOMENT_MS });
      const back = await sandbox.lastSeq();
      let over = false;
      const impatient = Array.from({ length: CALLERS }, async (_, caller) => {
        while (!over) {
          await user.call(`/v1/connections/${id}/proxy/v1/customers?limit=1`, { member: caller }).catch(() => undefined);
          await sleep(100);
        }
      });
      const expected = new Map(customers.map((customer, n) => [customer, `Customer ${n}, change ${CHANGES}`]));
      const names = async () => {
        const feed = await readFeed(user, id, 'customers');
        return customers.filter((customer) => (JSON.parse(feed.get(customer) ?? '{}') as { name?: string }).name === expected.get(customer))
          .length;
      };
      const current = await until(names, (count) => count === CUSTOMERS, 180_000);
      over = true;
      await Promise.all(impatient);
      const requests = await sandbox.requests({ provider: 'stripe', since: back });
      const first = requests[0]?.at ?? 0;
      const moment = requests.filter(({ at }) => at < first + FIRST_MOMENT_MS).length;
      const queue = async () => (await operator.call('/v1/admin/queue')).body as { depth: number; dead: number };
      const left = await until(queue, ({ depth }) => depth === 0, 120_000);
      return verdict(
        {
          'the circuit opened': opened !== 'closed',
          // 15 s, three processes, pauses of at least 3.75 s.
          'single probes while down': probes <= PROCESSES * 4,
          'no herd at the return': moment <= PROCESSES * 2,
          'newest state of each object': current === CUSTOMERS,
          'nothing dead, nothing left': left.depth === 0 && left.dead === 0,
        },
        `circuit ${opened}, ${before} requests in the outage, ${probes} of them in the last 15 s; ${moment} requests in the first ${FIRST_MOMENT_MS} ms after the return (${CALLERS} callers); ` +
          `${current} of ${CUSTOMERS} objects in their newest state; ${left.depth} events left, ${left.dead} dead`,
      );
    });
  },
};
