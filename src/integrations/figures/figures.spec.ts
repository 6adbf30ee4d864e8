import { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../../test/support/test-database';
import { asService } from '../../database';
import { FIGURE_DEFAULTS, FigureCollector } from './figure-collector';
import { FigureReader, NO_FIGURES, sumOf } from './figure-reader';
import { observe, percentile, type Histogram } from './histogram';

const HOUR_MS = 3_600_000;
const HOUR = Math.floor(Date.now() / HOUR_MS);
const at = HOUR * HOUR_MS + 7 * 60_000;
const sent = (ok: boolean, latencyMs = 40) => ({ ok, limited: false, latencyMs });

describe('figures in buckets', () => {
  let database: TestDatabase;
  let reader: FigureReader;

  beforeAll(async () => {
    database = await createTestDatabase();
    reader = new FigureReader(database.dataSource);
  });
  beforeEach(() => asService(() => database.dataSource.query('DELETE FROM figures')));
  afterAll(() => database.close());
  const process = () => new FigureCollector(database.dataSource);
  const since = (tenant: string | undefined, from = at) => asService(() => reader.since(tenant, from));

  it('adds up what several processes have counted of the same minutes', async () => {
    const [one, other] = [process(), process()];
    for (const each of [one, other]) {
      each.request({ at, provider: 'acme', tenant: 'a' }, sent(true));
      each.request({ at: at + 1_000, provider: 'acme', tenant: 'b' }, { ok: false, limited: true, latencyMs: 900 });
      each.event({ at, provider: 'acme', tenant: 'a' }, 12);
      each.eventFailed({ at, provider: 'acme', tenant: 'a' });
      each.delivered({ at, provider: '', tenant: 'a' }, 3);
    }
    await Promise.all([one.flush(), other.flush()]);
    await one.flush(); // nothing is written twice
    const all = await since(undefined);
    expect(all.get('acme')).toMatchObject({ ok: 2, failed: 2, limited: 2, events: 2, eventFailures: 2, delivered: 0 });
    expect(all.get('acme')?.lastOkAt).toEqual(new Date(at));
    expect(all.get('acme')?.lastFailedAt).toEqual(new Date(at + 1_000));
    expect(all.get('acme')?.latency.reduce((sum, count) => sum + count, 0)).toBe(4);
    expect(all.get('')).toMatchObject({ delivered: 2 });
  });

  it('gives an organization what is its own, and the operator the sum with what is nobody’s', async () => {
    const collector = process();
    collector.request({ at, provider: 'acme', tenant: 'a' }, sent(true));
    collector.request({ at, provider: 'acme', tenant: 'b' }, sent(false));
    collector.request({ at, provider: 'acme' }, sent(false));
    await collector.flush();
    expect((await since('a')).get('acme')).toMatchObject({ ok: 1, failed: 0 });
    expect((await since('b')).get('acme')).toMatchObject({ ok: 0, failed: 1 });
    expect((await since(undefined)).get('acme')).toMatchObject({ ok: 1, failed: 2 });
    expect((await since('c')).size).toBe(0);
  });

  it('reads by the hour and by the time that is asked for', async () => {
    const collector = process();
    collector.event({ at: at - 2 * HOUR_MS, provider: 'acme' }, 100);
    collector.event({ at, provider: 'acme' }, 8_000);
    await collector.flush();
    const hours = (await asService(() => reader.hourly(undefined, HOUR - 2))).get('acme');
    expect([0, 1, 2].map((hour) => hours?.get(hour)?.events ?? 0)).toEqual([1, 0, 1]);
    expect(percentile(hours?.get(0)?.lag ?? [], 0.95)).toBeLessThanOrEqual(100);
    expect(percentile(hours?.get(2)?.lag ?? [], 0.95)).toBeGreaterThan(5_000);
    expect((await since(undefined, at)).get('acme')?.events).toBe(1);
    expect((await since(undefined, at - 3 * HOUR_MS)).get('acme')?.events).toBe(2);
  });

  it('keeps what a store that is away does not take, and writes it once', async () => {
    const { dataSource } = database;
    let isAway = true;
    const broken = {
      transaction: (work: Parameters<DataSource['transaction']>[1]) =>
        isAway ? Promise.reject(new Error('the store is away')) : dataSource.transaction(work),
    };
    const collector = new FigureCollector(broken as unknown as DataSource);
    collector.request({ at, provider: 'acme' }, sent(true));
    await collector.flush();
    collector.request({ at, provider: 'acme' }, sent(true));
    await collector.flush();
    isAway = false;
    await collector.flush();
    await collector.flush();
    expect((await since(undefined)).get('acme')).toMatchObject({ ok: 2 });
  });

  it('holds no more than its bound in memory, and counts on what it holds', async () => {
    const written: number[] = [];
    const store = {
      transaction: (work: (manager: unknown) => Promise<void>) =>
        work({ query: (_: string, [rows]: string[]) => written.push((JSON.parse(rows!) as unknown[]).length) }),
    };
    const collector = new FigureCollector(store as unknown as DataSource);
    for (let tenant = 0; tenant < FIGURE_DEFAULTS.maxCells + 10; tenant++)
      collector.request({ at, provider: 'acme', tenant: `t${tenant}` }, sent(true));
    await collector.flush();
    expect(written.reduce((sum, rows) => sum + rows, 0)).toBe(FIGURE_DEFAULTS.maxCells + 1);
  });
});

describe('a percentile', () => {
  const of = (...values: number[]) => {
    const histogram: Histogram = [];
    for (const value of values) observe(histogram, value);
    return histogram;
  };

  it('lies in the step in which that share is reached', () => {
    const hundred = of(...Array.from({ length: 94 }, () => 4), ...Array.from({ length: 6 }, () => 900));
    expect(percentile(hundred, 0.94)).toBe(5);
    expect(percentile(hundred, 0.95)).toBeGreaterThan(600);
    expect(percentile(hundred, 0.95)).toBeLessThanOrEqual(1_000);
  });

  it('of nothing is nothing, and of the longest is the last bound', () => {
    expect(percentile([], 0.95)).toBeNull();
    expect(percentile(of(86_400_000), 0.95)).toBe(3_600_000);
  });

  it('of a sum is of all that was observed', () => {
    const sum = sumOf([{ ...NO_FIGURES, lag: of(4) }, NO_FIGURES, { ...NO_FIGURES, lag: of(900, 900, 900) }]);
    expect(sum.lag.reduce((total, count) => total + count, 0)).toBe(4);
    expect(percentile(sum.lag, 0.95)).toBeGreaterThan(600);
  });
});
