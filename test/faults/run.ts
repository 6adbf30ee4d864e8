import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { reachable } from '../../bench/lib/services';
import { asService } from '../../src/database';
import { cleanUp } from './lib/clean-up';
import type { Fault, FaultResult, Size, Stage, Verdict } from './lib/fault';

const DEFAULT_EVENTS = 10_000;
const DEFAULT_BOUND_S = 300;

/** `npm run faults [-- F1 F6] [--stage server|embedded] [--events 10000] [--json]`: each `fNN-*.ts` beside this file is a row of the fault table. */
async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const wanted = args.filter((arg) => /^F\d+[a-z]?$/i.test(arg)).map((arg) => arg.toUpperCase());
  const onlyStage = valueOf(args, '--stage');
  const size: Size = { events: Number(valueOf(args, '--events') ?? process.env.FAULT_EVENTS ?? DEFAULT_EVENTS) };
  const services = await reachable();
  const results: FaultResult[] = [];
  for (const fault of await faults()) {
    if (wanted.length > 0 && !wanted.includes(fault.id.toUpperCase())) continue;
    const seen: string[] = [];
    const verdicts: (boolean | null)[] = [];
    for (const stage of fault.stages) {
      if (onlyStage !== undefined && stage !== onlyStage) continue;
      const verdict = await tryOn(fault, stage, services, size);
      process.stderr.write(`${mark(verdict.ok)} ${fault.id} on ${stage}: ${verdict.seen}\n`);
      seen.push(`${stage}: ${verdict.seen}`);
      verdicts.push(verdict.ok);
    }
    if (verdicts.length === 0) continue;
    results.push({
      id: fault.id,
      promise: fault.promise,
      seen: seen.join(' | '),
      ok: verdicts.includes(false) ? false : verdicts.includes(null) ? null : true,
    });
  }
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ faults: results })}\n`);
  process.exit(results.length === 0 || results.some((result) => result.ok === false) ? 1 : 0);
}

async function tryOn(fault: Fault, stage: Stage, services: Parameters<Fault['run']>[1], size: Size): Promise<Verdict> {
  if (stage === 'server' && (!services.databaseUrl || !services.redisUrl)) return { seen: 'not run: no Postgres and Redis here', ok: null };
  const boundS = fault.boundS ?? DEFAULT_BOUND_S;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Verdict>((resolve) => {
    timer = setTimeout(() => resolve({ seen: `cut off: it had not ended after ${boundS} s`, ok: false }), boundS * 1_000);
  });
  const began = performance.now();
  try {
    const run = asService(() => fault.run(stage, services, size)); // what it asks the database by itself
    run.catch(() => undefined); // cut off, it may fail later with nobody to hear it
    const { seen, ok } = await Promise.race([run, late]);
    return { seen: `${seen} (${Math.round((performance.now() - began) / 1_000)} s)`, ok };
  } catch (error) {
    return { seen: `broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, ok: false };
  } finally {
    clearTimeout(timer);
    await cleanUp();
  }
}

/** In the order of their numbers. */
async function faults(): Promise<Fault[]> {
  const files = readdirSync(__dirname).filter((file) => /^f\d+[a-z]?-.*\.ts$/.test(file) && !file.includes('.spec.'));
  return Promise.all(files.sort().map(async (file) => ((await import(join(__dirname, file))) as { fault: Fault }).fault));
}

function valueOf(args: readonly string[], name: string): string | undefined {
  const at = args.indexOf(name);
  return at < 0 ? undefined : args[at + 1];
}

function mark(ok: boolean | null): string {
  return ok === null ? 'not run' : ok ? 'ok     ' : 'FAILED ';
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanUp().then(() => process.exit(1)));

void main();
