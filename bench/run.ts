import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { printAgainst } from './lib/against';
import type { Benchmark, BenchmarkResult, Services } from './lib/benchmark';
import { performancePage, recorded, thisMachine, type Recorded, type RecordedBenchmark } from './lib/performance-page';
import { QUICK } from './lib/run-options';
import { reachable, versions } from './lib/services';

const RECORD = join(__dirname, '../docs/performance.json');
const PAGE = join(__dirname, '../docs/performance.md');

/**
 * `npm run bench [-- B1 B4] [--json] [--record] [--quick] [--against FOLDER]`: each `bN-*.ts` beside this file is a benchmark. `--record`
 * keeps what was seen in `docs/performance.json` and writes `docs/performance.md` of it; `--against` runs them in turns with another checkout.
 */
async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const json = args.includes('--json');
  const wanted = args.filter((arg) => /^B\d+$/i.test(arg)).map((arg) => arg.toUpperCase());
  if (QUICK && args.includes('--record')) throw new Error('Figures of --quick say too little to be kept: leave out one of the two.');
  const against = args.indexOf('--against');
  if (against >= 0) {
    const folder = args[against + 1];
    if (folder === undefined) throw new Error('--against needs the folder of another checkout, installed and built.');
    return printAgainst(folder, wanted);
  }
  const services = await reachable();
  const results: RecordedBenchmark[] = [];
  for (const file of benchmarkFiles()) {
    const id = (/^(b\d+)-/.exec(file)?.[1] ?? '').toUpperCase();
    if (wanted.length > 0 && !wanted.includes(id)) continue;
    const { benchmark } = (await import(join(__dirname, file))) as { benchmark: Benchmark };
    process.stderr.write(`\n${benchmark.id}  ${benchmark.title}\n`);
    const when = { date: new Date().toISOString().slice(0, 10), load: loadavg()[0] ?? 0 };
    const result = { id: benchmark.id, title: benchmark.title, ...when, ...(await runOne(benchmark, services)) };
    results.push(result);
    print(result);
  }
  const failed = results.some((result) => result.checks.some((check) => check.ok === false));
  if (args.includes('--record') && results.length > 0) await record(services, results);
  if (json) process.stdout.write(`${JSON.stringify({ benchmarks: results })}\n`);
  process.exit(failed || results.length === 0 ? 1 : 0);
}

async function record(services: Services, measured: readonly RecordedBenchmark[]): Promise<void> {
  const kept = existsSync(RECORD) ? (JSON.parse(readFileSync(RECORD, 'utf8')) as Recorded) : undefined;
  const all = recorded(kept, thisMachine(await versions(services)), measured);
  const { format } = await import('prettier');
  writeFileSync(RECORD, await format(JSON.stringify(all), { filepath: RECORD }));
  writeFileSync(PAGE, await format(performancePage(all), { filepath: PAGE }));
}

async function runOne(benchmark: Benchmark, services: Services): Promise<Omit<BenchmarkResult, 'id'>> {
  try {
    return await benchmark.run(services);
  } catch (error) {
    // A benchmark that breaks is a failed check, and the others still run.
    const seen = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { arms: [], checks: [{ name: 'runs to its end', target: 'no error', seen, ok: false }] };
  }
}

function benchmarkFiles(): string[] {
  return readdirSync(__dirname)
    .filter((file) => /^b\d+-.*\.ts$/.test(file) && existsSync(join(__dirname, file)))
    .sort((a, b) => Number(/\d+/.exec(a)?.[0]) - Number(/\d+/.exec(b)?.[0]));
}

function print(result: BenchmarkResult): void {
  const line = (text: string) => process.stderr.write(`${text}\n`);
  for (const arm of result.arms) {
    line(`  ${arm.name.padEnd(46)} ${figure(arm.median).padStart(10)} ${arm.unit}  (${figure(arm.min)}-${figure(arm.max)})`);
  }
  for (const check of result.checks) {
    line(`  ${check.ok === null ? 'not run' : check.ok ? 'ok     ' : 'FAILED '} ${check.name}: ${check.seen} (target ${check.target})`);
  }
}

function figure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

void main();
