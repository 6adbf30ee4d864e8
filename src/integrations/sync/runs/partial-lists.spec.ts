import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import type { Extent, ProviderSync, SyncPage } from '../../contract';
import { SyncHarness } from '../testing/sync-harness';

Logger.overrideLogger(false);

/** `SEEDS=1000 npx jest partial-lists` for the long run. */
const RUNS = Number(process.env['SEEDS'] ?? 30);
const SIZE = 20;

/** How a list is cut: what it leaves out, and whether it says so by ending early or by what it is asked for. */
const cut = fc.oneof(
  fc.record({ by: fc.constant('limit' as const), at: fc.nat(SIZE - 1) }),
  fc.record({ by: fc.constant('filter' as const), keep: fc.array(fc.boolean(), { minLength: SIZE, maxLength: SIZE }) }),
  fc.record({ by: fc.constant('window' as const), from: fc.nat(SIZE - 1), length: fc.nat(SIZE) }),
  fc.record({ by: fc.constant('partitions' as const), keep: fc.nat(1) }),
);
type Cut = typeof cut extends fc.Arbitrary<infer T> ? T : never;

const idOf = (n: number) => `r${String(n).padStart(2, '0')}`;
const ALL = Array.from({ length: SIZE }, (_, n) => n);

function left(by: Cut | undefined): number[] {
  if (by?.by === 'limit') return ALL.slice(0, by.at);
  if (by?.by === 'filter') return ALL.filter((n) => by.keep[n]);
  if (by?.by === 'window') return ALL.slice(by.from, by.from + by.length);
  return ALL;
}

/** A remote of two partitions with the same records each; `gone` are really gone. */
class CutRemote {
  cut: Cut | undefined;
  pageSize = 7;
  readonly gone = new Set<number>();

  sync(): ProviderSync {
    const extent = (): Extent => (this.cut ? { complete: false, why: `Cut by a ${this.cut.by}.` } : { complete: true });
    return {
      resources: [
        {
          name: 'items',
          label: 'Items',
          partitions: () => {
            const names = ['a', 'b'];
            if (this.cut?.by !== 'partitions') return Promise.resolve({ names, complete: true });
            return Promise.resolve({ names: names.slice(0, this.cut.keep), complete: false, why: 'Not all are listed.' });
          },
          full: () => this.full(extent()),
        },
      ],
    };
  }

  private async *full(extent: Extent): AsyncGenerator<SyncPage, Extent, void> {
    const ids = left(this.cut).filter((n) => !this.gone.has(n));
    for (let start = 0; start === 0 || start < ids.length; start += this.pageSize) {
      const records = ids.slice(start, start + this.pageSize).map((n) => ({ id: idOf(n), data: { n } }));
      yield await Promise.resolve({ records, ...(start % 2 === 0 && { checkpoint: start }) });
    }
    return extent;
  }
}

describe('a list that does not hold everything', () => {
  let harness: SyncHarness;
  beforeAll(async () => {
    harness = await SyncHarness.start();
  });
  afterAll(() => harness.close());

  it(
    'removes nothing, however it was cut; a whole one removes what is gone and no more',
    async () => {
      let cuts = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(cut, { minLength: 1, maxLength: 1 }),
          fc.uniqueArray(fc.nat(SIZE - 1), { maxLength: 5 }),
          fc.integer({ min: 1, max: 12 }),
          async (seen, gone, pageSize) => {
            const remote = new CutRemote();
            remote.pageSize = pageSize;
            const process = harness.process();
            const { id } = await harness.connect(harness.provider(remote.sync()));
            const full = async () => {
              await process.service.request(id, { type: 'full', trigger: 'manual' });
              await process.drain();
              return harness.latestRun(id);
            };
            await full();
            for (remote.cut of seen) {
              expect((await full()).counts.deleted).toBe(0);
              expect((await harness.stored(id)).size).toBe(SIZE * 2);
              cuts++;
            }
            remote.cut = undefined;
            gone.forEach((n) => remote.gone.add(n));
            expect((await full()).counts.deleted).toBe(gone.length * 2);
            await harness.query('DELETE FROM connections WHERE id = $1', [id]);
          },
        ),
        { numRuns: RUNS, ...(process.env['SEED'] && { seed: Number(process.env['SEED']) }) },
      );
      expect(cuts).toBeGreaterThanOrEqual(RUNS);
    },
    RUNS * 3_000,
  );
});
