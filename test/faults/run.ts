import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { reachable } from '../../bench/lib/services';
import type { Fault, FaultResult, Stage } from './lib/fault';

/** `npm run faults [-- F1 F6] [--json]`: each `fNN-*.ts` beside this file is a row of the fault table. */
async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const wanted = args.filter((arg) => /^F\d+$/i.test(arg)).map((arg) => arg.toUpperCase());
  const services = await reachable();
  const results: FaultResult[] = [];
  for (const fault of await faults()) {
    if (wanted.length > 0 && !wanted.includes(fault.id)) continue;
    const seen: string[] = [];
    const verdicts: (boolean | null)[] = [];
    for (const stage of fault.stages) {
      const verdict = await tryOn(fault, stage, services);
      process.stderr.write(`${mark(verdict.ok)} ${fault.id} on ${stage}: ${verdict.seen}\n`);
      seen.push(`${stage}: ${verdict.seen}`);
      verdicts.push(verdict.ok);
    }
    results.push({ id: fault.id, promise: fault.promise, seen: seen.join(' | '), ok: verdicts.includes(false) ? false : verdicts.includes(null) ? null : true });
  }
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ faults: results })}\n`);
  process.exit(results.length === 0 || results.some((result) => result.ok === false) ? 1 : 0);
}

async function tryOn(fault: Fault, stage: Stage, services: Parameters<Fault['run']>[1]) {
  if (stage === 'server' && (!services.databaseUrl || !services.redisUrl)) return { seen: 'not run: no Postgres and Redis here', ok: null };
  try {
    return await fault.run(stage, services);
  } catch (error) {
    return { seen: `broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, ok: false };
  }
}

async function faults(): Promise<Fault[]> {
  const files = readdirSync(__dirname).filter((file) => /^f\d+-.*\.ts$/.test(file));
  const loaded = await Promise.all(files.sort().map(async (file) => ((await import(join(__dirname, file))) as { fault: Fault }).fault));
  return loaded;
}

function mark(ok: boolean | null): string {
  return ok === null ? 'not run' : ok ? 'ok     ' : 'FAILED ';
}

void main();
