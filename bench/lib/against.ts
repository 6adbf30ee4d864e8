import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join, resolve } from 'node:path';
import { median, type ArmResult, type BenchmarkResult } from './benchmark';
import { times } from './rounds';
import { QUICK } from './run-options';

const HERE = resolve(__dirname, '../..');
const TURNS = 3;
/** A benchmark at full length takes minutes; one that hangs ends the run. */
const BOUND_MS = 45 * 60_000;

interface Turn {
  readonly here: ReadonlyMap<string, ArmResult>;
  readonly other: ReadonlyMap<string, ArmResult>;
}

/**
 * The same benchmarks here and in another checkout (installed and built), in turns, each first as often as it can be: a machine that
 * slows down does so for both. For each arm that both have, the ratio of its median here to that of its neighbour in time; of the arms of
 * others it says how alike the turns were.
 */
export async function printAgainst(folder: string, ids: readonly string[]): Promise<void> {
  const other = resolve(folder);
  const turns: Turn[] = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const folders = turn % 2 === 0 ? [other, HERE] : [HERE, other];
    const seen = new Map<string, ReadonlyMap<string, ArmResult>>();
    for (const each of folders) {
      process.stderr.write(`turn ${turn + 1} of ${TURNS}: ${each === HERE ? 'here' : each}\n`);
      seen.set(each, await armsOf(each, ids));
    }
    turns.push({ here: seen.get(HERE)!, other: seen.get(other)! });
  }
  for (const line of comparison(turns)) process.stdout.write(`${line}\n`);
}

/** A line for each arm that every turn of both has: unit, ratio with its range, both medians. */
export function comparison(turns: readonly Turn[]): string[] {
  const inAll = (name: string) => turns.every(({ here, other }) => here.has(name) && other.has(name));
  return [...(turns[0]?.here.keys() ?? [])].filter(inAll).map((name) => {
    const medians = (side: keyof Turn) => turns.map((turn) => turn[side].get(name)!.median);
    const [here, other] = [medians('here'), medians('other')];
    const ratios = here.map((value, turn) => value / other[turn]!);
    const ratio = times({ median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) });
    return `${name}: ${ratio}; here ${median(here).toPrecision(4)}, there ${median(other).toPrecision(4)}`;
  });
}

/** By benchmark, name and unit: the same name stands for several loads. */
async function armsOf(folder: string, ids: readonly string[]): Promise<ReadonlyMap<string, ArmResult>> {
  const args = [
    '-r',
    join(folder, 'scripts/register-swc.cjs'),
    join(folder, 'bench/run.ts'),
    ...ids,
    '--json',
    ...(QUICK ? ['--quick'] : []),
  ];
  const child = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'ignore'], timeout: BOUND_MS });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  await once(child, 'close'); // a target that is missed makes it fail, and has its figures all the same
  const last = text.trim().split('\n').at(-1) ?? '';
  if (!last.startsWith('{')) throw new Error(`The benchmarks of ${folder} gave no figures: is it installed and built?`);
  const { benchmarks } = JSON.parse(last) as { benchmarks: BenchmarkResult[] };
  return new Map(benchmarks.flatMap(({ id, arms }) => arms.map((arm) => [`${id} ${arm.name} (${arm.unit})`, arm] as const)));
}
