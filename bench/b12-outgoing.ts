import { check, median, notRun, summary, type Arm, type ArmResult, type Benchmark, type Check, type Services } from './lib/benchmark';
import { json, startRival, type Rival } from './callers/callers';
import { interleave, times } from './lib/rounds';
import { QUICK, ROUNDS } from './lib/run-options';
import { signedRequest } from './lib/stripe-delivery';
import { KeepAliveConnection } from './lib/keep-alive-connection';
import { hasBoth, openWorkbench, OUR_PATH, type Workbench } from './lib/workbench';

const EVENTS = QUICK ? 4_000 : 20_000;
const LOOP_CONCURRENCY = 50;
const TENANT = 'tenant-a';
const IDLE_EVENTS = QUICK ? 20 : 100;
const IDLE_PAUSE_MS = 25;
const DEAD_MS = QUICK ? 5_000 : 20_000;
const DEAD_EVENTS = 1_000;
const RETURNED_WITHIN_MS = 10_000;
const WITHIN_MS = 180_000;

interface Book {
  readonly count: number;
  readonly twice: number;
  readonly unsigned: number;
}

export const benchmark: Benchmark = {
  id: 'B12',
  title: `out to the product: ${EVENTS} stored events to one and to five local destinations, and one event when idle`,
  async run(services: Services) {
    if (!hasBoth(services)) return { arms: [], checks: [notRun('B12', 'needs a Postgres server and Redis')] };
    const receiver = await startRival('receiver.cjs');
    // A destination on this machine is refused in production.
    const bench = await openWorkbench({ services, members: [{ NODE_ENV: 'test' }] });
    try {
      return await new Outgoing(bench, receiver).measure();
    } finally {
      await bench.stop();
      await receiver.kill();
    }
  },
};

class Outgoing {
  private readonly books: Check[] = [];
  private series = 0;

  constructor(
    private readonly bench: Workbench,
    private readonly receiver: Rival,
  ) {}

  async measure(): Promise<{ arms: ArmResult[]; checks: Check[] }> {
    const idle = await this.idle();
    const one = await this.destinations(1);
    const [oneOurs, oneLoop] = await this.drained(one);
    const five = await this.destinations(5);
    const [fiveOurs, fiveLoop] = await this.drained(five);
    const dead = await this.afterDeath(one);
    const arms = [...idle.arms, ...oneOurs.arms, ...fiveOurs.arms];
    return { arms, checks: [...idle.checks, ...oneLoop, ...fiveLoop, dead, this.all()] };
  }

  /** Destinations of the tenant, paused, with nothing waiting. */
  private async destinations(count: number): Promise<string[]> {
    const ids: string[] = [];
    for (let number = 0; number < count; number++) {
      const { id } = await this.api<{ id: string }>('', {
        url: `${this.receiver.url}/${count}/${number}`,
        events: ['webhook.received'],
        webhookTypes: ['none/at-all'],
      });
      await this.api(`/${id}/pause`, {});
      ids.push(id);
    }
    return ids;
  }

  private async drained(ids: readonly string[]): Promise<[{ arms: readonly ArmResult[] }, Check[]]> {
    const [ours, limit] = [`ours, ${ids.length} destination(s)`, `limit: loop of ${LOOP_CONCURRENCY} signed POSTs, ${ids.length}`];
    const targets = ids.map((_, number) => `/${ids.length}/${number}`).join(',');
    const loop = await startRival('post-loop.cjs', { ORIGIN: this.receiver.url, TARGETS: targets });
    const arms: Arm[] = [
      { name: ours, unit: 'deliveries/s', round: () => this.drain(ids, EVENTS) },
      { name: limit, unit: 'deliveries/s', round: async () => (await loop.run(EVENTS, LOOP_CONCURRENCY)).perSecond },
    ];
    const rounds = await interleave(arms, ROUNDS).finally(() => loop.kill());
    const ratio = rounds.ratio(ours, limit);
    const rate = median(rounds.samples(ours));
    return [
      rounds,
      [
        check(`${ours} / the loop`, '>= 0.5x', times(ratio), ratio.median >= 0.5),
        check(ours, '>= 2000/s', `${rate.toFixed(0)}/s`, rate >= 2_000),
      ],
    ];
  }

  /** @returns deliveries a second, from the resuming of the destinations to the last outcome that is stored */
  private async drain(ids: readonly string[], count: number): Promise<number> {
    await json(`${this.receiver.url}/forget`);
    await this.fill(ids, count);
    const from = performance.now();
    await Promise.all(ids.map((id) => this.api(`/${id}/resume`, {})));
    await this.untilDelivered(count);
    const ms = performance.now() - from;
    await this.settle(ids, count);
    return (count * 1_000) / ms;
  }

  private async fill(ids: readonly string[], count: number): Promise<void> {
    await this.bench.query('TRUNCATE deliveries, outbox, outbox_payloads');
    await this.bench.query(
      `WITH made AS MATERIALIZED (SELECT n, gen_random_uuid() AS id FROM generate_series(1, $1::int) n),
       told AS (
         INSERT INTO outbox (id, tenant, type, body, created_at)
         SELECT id, $3, 'webhook.received', json_build_object('type', 'webhook.received', 'timestamp', now(),
           'data', json_build_object('key', $4 || n, 'note', repeat('x', 900)))::text, now() FROM made RETURNING id)
       INSERT INTO deliveries (id, message_id, destination_id, tenant, type, give_up_at, created_at)
       SELECT gen_random_uuid(), id, ($2::uuid[])[1 + n % cardinality($2::uuid[])], $3, 'webhook.received', now() + interval '1 day', now() FROM made`,
      [count, ids, TENANT, `b12_${this.series++}_`],
    );
    await this.bench.query('ANALYZE deliveries, outbox');
    await this.bench.query('CHECKPOINT').catch(() => undefined);
  }

  private async untilDelivered(count: number, withinMs = WITHIN_MS): Promise<void> {
    for (const end = Date.now() + withinMs; ;) {
      const { count: came } = await json<Book>(`${this.receiver.url}/book`);
      if (came >= count) {
        const [row] = await this.bench.query<{ count: string }>(`SELECT count(*) FROM deliveries WHERE status = 'delivered'`);
        if (Number(row?.count) >= count) return;
      }
      if (Date.now() > end) throw new Error(`${came} of ${count} delivered after ${withinMs / 1_000} s`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  private async settle(ids: readonly string[], count: number): Promise<void> {
    const { count: came, twice, unsigned } = await json<Book>(`${this.receiver.url}/book`);
    const seen = `${count - came} lost, ${twice} twice, ${unsigned} unsigned`;
    this.books.push(check('book', '0, 0, 0', seen, came === count && twice === 0 && unsigned === 0));
    for (const id of ids) await this.api(`/${id}/pause`, {});
  }

  /** From the sending of a provider's webhook to the arrival of ours at the product, one at a time. */
  private async idle(): Promise<{ arms: ArmResult[]; checks: Check[] }> {
    const { id } = await this.api<{ id: string }>('', {
      url: `${this.receiver.url}/idle`,
      events: ['webhook.received'],
      webhookTypes: ['*'],
    });
    const { databaseUrl } = this.bench;
    const limit = await startRival('two-commits-and-a-post.cjs', { ORIGIN: this.receiver.url, DATABASE_URL: databaseUrl });
    const connection = new KeepAliveConnection(this.bench.cluster.members[0]?.port ?? 0);
    const [ours, theirs]: number[][] = [[], []];
    try {
      for (let round = -1; round < ROUNDS; round++) {
        const mine: number[] = [];
        for (let number = 0; number < IDLE_EVENTS; number++) mine.push(await this.oneIdle(connection, `idle_${round + 1}_${number}`));
        const { p50Ms } = await limit.run(IDLE_EVENTS, 1);
        if (round < 0) continue;
        ours!.push(median(mine));
        theirs!.push(p50Ms);
      }
    } finally {
      connection.close();
      await limit.kill();
      await this.api(`/${id}/pause`, {});
    }
    const each = ours!.map((value, index) => value / (theirs![index] ?? Number.NaN));
    const ratio = { median: median(each), min: Math.min(...each), max: Math.max(...each) };
    return {
      arms: [summary('ours, one event when idle, p50', 'ms', ours!), summary('limit: two commits and one POST, p50', 'ms', theirs!)],
      checks: [check('one event when idle / two commits and one POST', '<= 1.5x', times(ratio), ratio.median <= 1.5)],
    };
  }

  private async oneIdle(connection: KeepAliveConnection, name: string): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, IDLE_PAUSE_MS));
    const id = `evt_${name}`;
    const request = signedRequest(OUR_PATH, id, 'acct_bench_a');
    const arrived = json<{ at: number }>(`${this.receiver.url}/at/${id}`);
    const sent = performance.timeOrigin + performance.now();
    await connection.send(request);
    return (await arrived).at - sent;
  }

  /** A destination answers 503 for a while, with events waiting; then all of them are delivered soon after its return. */
  private async afterDeath(ids: readonly string[]): Promise<Check> {
    await json(`${this.receiver.url}/forget`);
    await json(`${this.receiver.url}/mode?answer=503`);
    await this.fill(ids, DEAD_EVENTS);
    for (const id of ids) await this.api(`/${id}/resume`, {});
    await new Promise((resolve) => setTimeout(resolve, DEAD_MS));
    await json(`${this.receiver.url}/mode?answer=204`);
    const from = performance.now();
    await this.untilDelivered(DEAD_EVENTS);
    const ms = performance.now() - from;
    await this.settle(ids, DEAD_EVENTS);
    return check(
      `${DEAD_EVENTS} events after ${DEAD_MS / 1_000} s of a dead destination`,
      `all within ${RETURNED_WITHIN_MS / 1_000} s of its return`,
      `${(ms / 1_000).toFixed(1)} s`,
      ms <= RETURNED_WITHIN_MS,
    );
  }

  private all(): Check {
    const wrong = this.books.filter(({ ok }) => ok !== true).map(({ seen }) => seen);
    return check(
      'each delivery of every round came once, signed',
      '0 lost, 0 twice',
      wrong.join('; ') || '0 lost, 0 twice',
      wrong.length === 0,
    );
  }

  private async api<T>(path: string, body: object): Promise<T> {
    const token = await this.bench.cluster.tokenFor({ tenant: TENANT, user: 'bench', role: 'admin' });
    return json<T>(`${this.bench.cluster.members[0]?.url}/v1/admin/destinations${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
      body: JSON.stringify(body),
    });
  }
}
