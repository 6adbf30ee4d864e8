import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { sleep } from '../faults/lib/waiting';
import { cleanUp, openArena, type Arena } from './lib/arena';
import type { Attack, AttackResult, Verdict } from './lib/attack';

const DEFAULT_BOUND_S = 180;

/** `npm run attacks [-- A1 A20] [--production] [--json]`: each file beside this one holds a few rows of the attack list. With `--production` all are tried on a service that runs so, on TEST_DATABASE_URL where it is set. */
async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const wanted = args.filter((arg) => /^A\d+$/i.test(arg)).map((arg) => arg.toUpperCase());
  const attacks = (await all()).filter(({ id }) => wanted.length === 0 || wanted.includes(id));
  const results: AttackResult[] = [];
  try {
    let arena: Arena | undefined;
    for (const attack of attacks) {
      arena ??= await openArena(args.includes('--production'));
      const verdict = await standing(await tried(attack, arena), arena);
      process.stderr.write(`${mark(verdict.ok)} ${attack.id} ${attack.expected}: ${verdict.seen}\n`);
      results.push({ id: attack.id, expected: attack.expected, ...verdict });
    }
  } finally {
    await cleanUp(); // where the run itself breaks, too: processes and databases would stay
  }
  results.sort((a, b) => numberOf(a.id) - numberOf(b.id));
  if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ attacks: results })}\n`);
  process.exit(results.length === 0 || results.some(({ ok }) => ok === false) ? 1 : 0);
}

async function tried(attack: Attack, arena: Arena): Promise<Verdict> {
  const { boundS = DEFAULT_BOUND_S } = attack;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Verdict>((resolve) => {
    timer = setTimeout(() => resolve({ seen: `cut off: it had not ended after ${boundS} s`, ok: false }), boundS * 1_000);
  });
  try {
    const run = attack.run(arena);
    run.catch(() => undefined); // cut off, it may fail later with nobody to hear it
    return await Promise.race([run, late]);
  } catch (error) {
    return { seen: `broke: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`, ok: false };
  } finally {
    clearTimeout(timer);
  }
}

/** An attack that ends the service has succeeded, whatever it was answered. */
async function standing(verdict: Verdict, arena: Arena): Promise<Verdict> {
  const [member] = arena.service.cluster.members;
  await sleep(500); // its end is told a moment after its sockets are closed
  const { exitCode, signalCode } = member?.process.child ?? {};
  if (exitCode == null && signalCode == null) return verdict;
  const lastWords = arena.service.lines.slice(-3).join(' | ');
  await member?.start();
  return { ok: false, seen: `the service ended with ${signalCode ?? exitCode}: ${lastWords}; ${verdict.seen}` };
}

/** In the order of the list, those that look at what the others left at the end. */
async function all(): Promise<Attack[]> {
  const files = readdirSync(__dirname).filter((file) => /^a\d+-.*\.ts$/.test(file) && !file.includes('.spec.'));
  const groups = await Promise.all(files.map(async (file) => ((await import(join(__dirname, file))) as { attacks: Attack[] }).attacks));
  return groups.flat().sort((a, b) => Number(a.last ?? false) - Number(b.last ?? false) || numberOf(a.id) - numberOf(b.id));
}

function numberOf(id: string): number {
  return Number(id.slice(1));
}

function mark(ok: boolean | null): string {
  return ok === null ? 'not run' : ok ? 'ok     ' : 'FAILED ';
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanUp().then(() => process.exit(1)));

void main();
