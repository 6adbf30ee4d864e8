import type { DataSource } from 'typeorm';
import { FigureCollector } from '../../figures';
import { requestLogDropped } from '../outbound-metrics';
import { REQUEST_LOG_DEFAULTS, RequestLogWriter, type RequestLogEntry } from './request-log-writer';

const { maxRows } = REQUEST_LOG_DEFAULTS;

/** A store that takes what it is given, or not, and tells how often it was asked and for what. */
function writerOn(store: { takes: boolean }) {
  const seen = { asked: 0, numbers: [] as number[] };
  const query = (sql: string, [rows]: unknown[]) => {
    if (sql.startsWith('INSERT INTO request_log'))
      seen.numbers.push(...(JSON.parse(rows as string) as { duration_ms: number }[]).map((row) => row.duration_ms));
    return Promise.resolve([]);
  };
  const transaction = async (work: (manager: { query: typeof query }) => Promise<void>) => {
    seen.asked++;
    if (!store.takes) throw new Error('the store is away');
    await work({ query });
  };
  return {
    seen,
    writer: new RequestLogWriter({ transaction } as unknown as DataSource, new FigureCollector({ transaction } as unknown as DataSource)),
  };
}

const entry = (number: number): RequestLogEntry => ({
  at: Date.UTC(2026, 0, 1),
  provider: 'p',
  method: 'GET',
  endpoint: '/a',
  outcome: 'ok',
  attempt: 1,
  durationMs: number,
  counts: 'ok',
});

const dropped = async () => (await requestLogDropped.get()).values[0]?.value ?? 0;

it('loses no row where more than it may hold comes between two writes', async () => {
  const { seen, writer } = writerOn({ takes: true });
  const before = await dropped();
  for (let number = 0; number < 3 * maxRows; number++) {
    writer.add(entry(number));
    if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await writer.flush();
  expect(seen.numbers).toEqual(Array.from({ length: 3 * maxRows }, (_, number) => number));
  expect((await dropped()) - before).toBe(0);
});

it('asks a store that is away at its times only, keeps the newest rows meanwhile and tells what was dropped', async () => {
  const store = { takes: false };
  const { seen, writer } = writerOn(store);
  const before = await dropped();
  for (let number = 0; number < 2 * maxRows; number++) {
    writer.add(entry(number));
    if (number % 100 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(seen.asked).toBe(1);
  store.takes = true;
  await writer.flush();
  expect(seen.numbers.length).toBeLessThanOrEqual(maxRows);
  expect(seen.numbers.length).toBeGreaterThanOrEqual(maxRows - REQUEST_LOG_DEFAULTS.batch);
  expect(seen.numbers.at(-1)).toBe(2 * maxRows - 1);
  expect((await dropped()) - before).toBe(2 * maxRows - seen.numbers.length);
});
