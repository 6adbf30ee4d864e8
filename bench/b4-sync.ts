import { Logger } from '@nestjs/common';
import { v7 as uuidv7 } from 'uuid';
import { asService, connectDatabase } from '../src/database';
import { SyncHarness } from '../src/integrations/sync/testing/sync-harness';
import { createDatabase, dropDatabase } from '../test/support/service-cluster';
import { check, median, notRun, summary, type Arm, type Benchmark, type BenchmarkResult, type Check, type Services } from './lib/benchmark';
import { startPagedList, type PagedList } from './lib/paged-list';
import { interleave, times } from './lib/rounds';
import { QUICK, ROUNDS } from './lib/run-options';
import { CopyLimit } from './rivals/copy-limit';
import { OrmUpsert } from './rivals/orm-upsert';

const RECORDS = QUICK ? 10_000 : 50_000;
/** For the arm that would take minutes: the rate of fewer is its rate. */
const FEW_RECORDS = QUICK ? 500 : 2_000;
const PAGE_SIZES = [100, 250] as const;

const LIMIT = 'limit: COPY of the same rows from memory';
const CHUNKS = 'repository.upsert, a page a call, pages of 100';
const ROW_BY_ROW = `repository.upsert row by row (rate of ${FEW_RECORDS})`;
const ours = (pageSize: number) => `ours, first sync, pages of ${pageSize}`;

/** A first sync and the one right after it, of an unchanged list. */
interface Pair {
  readonly firstMs: number;
  readonly againMs: number;
  readonly written: number;
}

export const benchmark: Benchmark = {
  id: 'B4',
  title: `sync of ${RECORDS} records: fetch, parse, hash, upsert, checkpoint`,
  async run({ databaseUrl }: Services) {
    if (!databaseUrl) return { arms: [], checks: [notRun('B4', 'needs a Postgres server')] };
    Logger.overrideLogger(['warn', 'error']);
    const url = await createDatabase(databaseUrl);
    const list = await startPagedList(RECORDS);
    try {
      return await asService(() => measure(url, list));
    } finally {
      await list.stop();
      await dropDatabase(databaseUrl, url);
    }
  },
};

async function measure(url: string, list: PagedList): Promise<Omit<BenchmarkResult, 'id'>> {
  const dataSource = await connectDatabase({ databaseUrl: url, dataDir: '' });
  const harness = SyncHarness.on({ dataSource, kind: 'server', url, close: () => dataSource.destroy() });
  const limit = await CopyLimit.open(url, uuidv7(), (await list.page(0, RECORDS)).items);
  const orm = await OrmUpsert.open(url);
  try {
    const pairs = new Map(PAGE_SIZES.map((pageSize) => [pageSize, [] as Pair[]]));
    const rounds = await interleave(
      [
        ...PAGE_SIZES.map((pageSize) => ourArm(harness, list, pageSize, pairs.get(pageSize) ?? [])),
        limitArm(harness, limit),
        ormArm(harness, CHUNKS, list, orm, { most: RECORDS, each: 'page' }),
        ormArm(harness, ROW_BY_ROW, list, orm, { most: FEW_RECORDS, each: 'item' }),
      ],
      ROUNDS,
    );
    const measured = PAGE_SIZES.map((pageSize) => ({ pageSize, pairs: (pairs.get(pageSize) ?? []).slice(-ROUNDS) }));
    return {
      arms: [
        ...rounds.arms,
        ...measured.map(({ pageSize, pairs: of }) =>
          summary(
            `ours, unchanged re-sync, pages of ${pageSize}`,
            'records/s',
            of.map(({ againMs }) => perSecond(RECORDS, againMs)),
          ),
        ),
      ],
      checks: [
        ...PAGE_SIZES.flatMap((pageSize) => {
          const againstLimit = rounds.ratio(ours(pageSize), LIMIT);
          const againstRows = rounds.ratio(ours(pageSize), ROW_BY_ROW);
          return [
            check(`pages of ${pageSize}: ours / limit, end to end`, '>= 0.5x', times(againstLimit), againstLimit.median >= 0.5),
            check(`pages of ${pageSize}: ours / row by row`, '>= 20x', times(againstRows), againstRows.median >= 20),
          ];
        }),
        check('pages of 100: ours / repository.upsert in chunks', 'told', times(rounds.ratio(ours(100), CHUNKS)), true),
        ...measured.flatMap(({ pageSize, pairs: of }) => resyncChecks(pageSize, of, rounds.samples(LIMIT))),
      ],
    };
  } finally {
    await orm.close();
    await limit.close();
    await harness.close();
  }
}

function resyncChecks(pageSize: number, pairs: readonly Pair[], limit: readonly number[]): Check[] {
  const shares = pairs.map(({ againMs }, round) => perSecond(RECORDS, againMs) / (limit[round] ?? Number.NaN));
  const share = { median: median(shares), min: Math.min(...shares), max: Math.max(...shares) };
  const written = Math.max(...pairs.map((pair) => pair.written));
  return [
    check(`pages of ${pageSize}: unchanged re-sync / limit`, '>= 0.8x', times(share), share.median >= 0.8),
    check(`pages of ${pageSize}: record rows that an unchanged re-sync writes`, '0', String(written), written === 0),
  ];
}

function ourArm(harness: SyncHarness, list: PagedList, pageSize: number, pairs: Pair[]): Arm {
  const provider = harness.provider(list.sync(pageSize));
  return {
    name: ours(pageSize),
    unit: 'records/s',
    round: async () => {
      await harness.query('TRUNCATE connections, records CASCADE');
      const { id } = await harness.connect(provider);
      await quiet(harness);
      const firstMs = await sync(harness, id, 'created');
      const mark = await nextTransaction(harness);
      await quiet(harness);
      const againMs = await sync(harness, id, 'unchanged');
      const [row] = await harness.query<{ written: number }>(
        'SELECT count(*)::int AS written FROM records WHERE xmin::text::bigint >= $1',
        [mark],
      );
      pairs.push({ firstMs, againMs, written: row?.written ?? Number.NaN });
      return perSecond(RECORDS, firstMs);
    },
  };
}

/** One full run through the runner, from the claim to its end. @returns ms */
async function sync(harness: SyncHarness, connectionId: string, expected: 'created' | 'unchanged'): Promise<number> {
  const process = harness.process();
  await process.service.request(connectionId, { type: 'full', trigger: 'manual' });
  const from = performance.now();
  await process.drain();
  const ms = performance.now() - from;
  const { status, counts } = await harness.latestRun(connectionId);
  const [row] = await harness.query<{ live: number }>('SELECT count(*)::int AS live FROM records WHERE NOT deleted');
  if (status !== 'succeeded' || counts[expected] !== RECORDS || row?.live !== RECORDS) {
    throw new Error(`the sync went wrong: ${status}, ${JSON.stringify(counts)}, ${row?.live} records`);
  }
  return ms;
}

function limitArm(harness: SyncHarness, limit: CopyLimit): Arm {
  return {
    name: LIMIT,
    unit: 'records/s',
    round: async () => {
      await limit.empty();
      await quiet(harness);
      const from = performance.now();
      await limit.copy();
      return perSecond(RECORDS, performance.now() - from);
    },
  };
}

function ormArm(
  harness: SyncHarness,
  name: string,
  list: PagedList,
  orm: OrmUpsert,
  { most, each }: { most: number; each: 'page' | 'item' },
): Arm {
  return {
    name,
    unit: 'records/s',
    round: async () => {
      await orm.empty();
      await quiet(harness);
      const from = performance.now();
      const stored = await orm.sync(list, 100, { most, each });
      return perSecond(stored, performance.now() - from);
    },
  };
}

/** What was written to prepare is not to be paid while it is measured. */
async function quiet(harness: SyncHarness): Promise<void> {
  await harness.query('CHECKPOINT').catch(() => undefined);
}

/** As `xmin` counts: without the epoch. */
async function nextTransaction(harness: SyncHarness): Promise<string> {
  const [row] = await harness.query<{ next: string }>(
    'SELECT (pg_snapshot_xmax(pg_current_snapshot())::text::bigint & 4294967295)::text AS next',
  );
  return row?.next ?? '';
}

function perSecond(count: number, ms: number): number {
  return (count * 1_000) / ms;
}
