import { SEED_FILE, TEMPLATE_DATABASE } from '../support/test-database';
import { createWebhookHarness, type TestBody } from '../support/webhook-harness';
import globalSetup from '../global-setup';
import globalTeardown from '../global-teardown';
import { SeededRandom } from '../../sandbox/random';
import { atEnd } from './lib/clean-up';
import type { Fault } from './lib/fault';
import { CREATE_STATES, disorderOf, historyOf, STATES_TABLE, StateKeeper } from './lib/object-states';

const SEEDS = 1_000;
/** Seeds whose deliveries are on their way together. */
const TOGETHER = 20;

export const fault: Fault = {
  id: 'F7',
  promise: 'shuffled and repeated deliveries, stale after newer, deleted before created: the same final state as in order, 1,000 seeds',
  stages: ['server', 'embedded'],
  boundS: 600,
  async run(stage, services) {
    const before = { ...process.env };
    if (stage === 'server') process.env.TEST_DATABASE_URL = services.databaseUrl;
    else delete process.env.TEST_DATABASE_URL;
    atEnd(() => {
      for (const name of ['TEST_DATABASE_URL', SEED_FILE, TEMPLATE_DATABASE]) {
        if (before[name] === undefined) delete process.env[name];
        else process.env[name] = before[name];
      }
    });
    await globalSetup();
    atEnd(() => globalTeardown());
    const harness = await createWebhookHarness({ handlers: [StateKeeper] });
    atEnd(() => harness.close());
    await harness.dataSource.query(CREATE_STATES);
    await harness.connect('disorder');
    await harness.connect('order');

    let deliveries = 0;
    for (let first = 1; first <= SEEDS; first += TOGETHER) {
      const seeds = Array.from({ length: Math.min(TOGETHER, SEEDS - first + 1) }, (_, index) => first + index);
      const random = new SeededRandom(`chunks ${first}`);
      // Each seed's own disorder, the seeds mixed with each other, in chunks that are worked off while the next one comes.
      const queues = seeds.map((seed) => disorderOf(historyOf(seed), seed));
      while (queues.some((queue) => queue.length > 0)) {
        const chunk = queues.flatMap((queue) => queue.splice(0, 1 + random.below(4)));
        deliveries += chunk.length;
        await Promise.all([
          ...chunk.map((change) => harness.deliver({ ...change, account: 'disorder' } satisfies TestBody)),
          harness.wakeUp.drain(),
          harness.wakeUp.drain(),
        ]);
      }
      await harness.settled();
      // And in order, each change applied before the next one comes.
      const histories = seeds.map(historyOf);
      for (let n = 0; histories.some((history) => n < history.length); n++) {
        const next = histories.flatMap((history) => history[n] ?? []);
        await Promise.all(next.map((change) => harness.deliver({ ...change, account: 'order' } satisfies TestBody)));
        await harness.settled();
      }
    }
    const [counted] = await harness.rows<{ objects: number; differ: number; open: number }>(
      `SELECT count(*)::int AS objects,
         count(*) FILTER (WHERE a.state IS DISTINCT FROM b.state OR a.deleted IS DISTINCT FROM b.deleted)::int AS differ,
         (SELECT count(*)::int FROM webhook_events WHERE status <> 'completed') AS open
       FROM (SELECT * FROM ${STATES_TABLE} WHERE account = 'disorder') a FULL JOIN (SELECT * FROM ${STATES_TABLE} WHERE account = 'order') b USING (object_key)`,
    );
    return {
      ok: counted?.objects === SEEDS * 2 && counted.differ === 0 && counted.open === 0,
      seen: `${SEEDS} seeds (all of it in one process, over many small shuffles), ${deliveries} deliveries in disorder, ${counted?.objects} objects, ${counted?.differ} differ from those in order, ${counted?.open} events not completed`,
    };
  },
};
