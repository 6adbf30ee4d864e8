import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { performancePage, recorded, regressions, type Machine, type Recorded, type RecordedBenchmark } from '../bench/lib/performance-page';
import { expectWritten } from './support/written-docs';

const MACHINE: Machine = { processor: 'Some processor', cores: 2, memoryGib: 8, node: 'v20.20.0' };

const run = (seen: Readonly<Record<string, [target: string, seen: string]>>, id = 'B1'): RecordedBenchmark => ({
  id,
  title: 'what is measured',
  date: '2026-11-28',
  load: 0.5,
  arms: [],
  checks: Object.entries(seen).map(([name, [target, text]]) => ({ name, target, seen: text, ok: true })),
});

describe('docs/performance.md', () => {
  it('is what docs/performance.json says', () => {
    const kept = JSON.parse(readFileSync(join(__dirname, '../docs/performance.json'), 'utf8')) as Recorded;
    expectWritten('docs/performance.md', () => performancePage(kept));
  });

  it('names what is more than a tenth worse than in the run before, in the direction of its target', () => {
    const before = recorded(undefined, MACHINE, [
      run({ rate: ['>= 2x', '3.00x (2.5-3.4)'], delay: ['<= 50 ms', '20 ms'], share: ['>= 1x', '1.00x'], told: ['told', '9x'] }),
    ]);
    const now = recorded(before, MACHINE, [
      run({ rate: ['>= 2x', '2.60x (2.1-3.0)'], delay: ['<= 50 ms', '30 ms'], share: ['>= 1x', '0.95x'], told: ['told', '1x'] }),
    ]);
    expect(regressions(now.benchmarks[0] as RecordedBenchmark)).toEqual([
      { name: 'rate', was: '3.00x (2.5-3.4)', is: '2.60x (2.1-3.0)' },
      { name: 'delay', was: '20 ms', is: '30 ms' },
    ]);
    expect(performancePage(now)).toContain('| B1 | rate | 3.00x (2.5-3.4) | 2.60x (2.1-3.0) |');
  });

  it('keeps what was not measured again, in the order of the numbers, and nothing of another machine', () => {
    const before = recorded(undefined, MACHINE, [run({}, 'B12'), run({}, 'B2')]);
    expect(recorded(before, MACHINE, [run({}, 'B3')]).benchmarks.map(({ id }) => id)).toEqual(['B2', 'B3', 'B12']);
    expect(recorded(before, { ...MACHINE, processor: 'Another' }, [run({}, 'B3')]).benchmarks.map(({ id }) => id)).toEqual(['B3']);
  });
});
