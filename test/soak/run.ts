import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reachable } from '../../bench/lib/services';
import { asService } from '../../src/database';
import { atEnd, cleanUp } from '../faults/lib/clean-up';
import type { Stage } from '../faults/lib/fault';
import { OwnPostgres } from '../faults/lib/own-postgres';
import { OwnRedis } from '../faults/lib/own-redis';
import { seconds, sleep, until } from '../faults/lib/waiting';
import { startWorld } from '../faults/lib/world';
import { startLoad } from './load';
import { plotOf } from './plot';
import { sample, TABLE_SIZES, type Sample } from './samples';
import { Trouble } from './trouble';
import { compareLedgers, compareTimes, type Check } from './verdict';

const SAMPLE_MS = 5_000;
/** No more faults in this last part of the time, so that the end can be compared with the beginning. */
const CALM = 0.2;
const SETTLES_MS = 180_000;
const PROCESSES = 2;

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly perSecond: number;
  readonly stage: Stage;
  readonly out: string;
}

/**
 * `npm run soak -- --minutes 30 [--seed 1] [--rate 40] [--stage server|embedded] [--out folder] [--json]`: mixed load with faults at random by
 * seed; at the end every ledger is compared, and memory, handles, connections and lag with those of the beginning. Leaves `soak-<stage>.json`
 * and a plot in the folder. The stage is a server where Postgres and Redis can be started here, else the embedded database.
 */
async function main(): Promise<void> {
  const args = process.argv.slice(2);
  const value = (name: string) => (args.includes(name) ? args[args.indexOf(name) + 1] : undefined);
  const options: Options = {
    minutes: Number(value('--minutes') ?? 10),
    seed: Number(value('--seed') ?? 1),
    perSecond: Number(value('--rate') ?? 40),
    stage: (value('--stage') as Stage | undefined) ?? 'server',
    out: value('--out') ?? join(process.cwd(), 'artifacts'),
  };
  try {
    const checks = await asService(() => soak(options));
    for (const { name, ok, seen, target } of checks) process.stderr.write(`${ok ? 'ok     ' : 'FAILED '} ${name}: ${seen} (${target})\n`);
    if (args.includes('--json')) process.stdout.write(`${JSON.stringify({ soak: { ...options, checks } })}\n`);
    process.exitCode = checks.every(({ ok }) => ok) ? 0 : 1;
  } finally {
    await cleanUp();
  }
  process.exit();
}

async function soak({ minutes, seed, perSecond, stage: wanted, out }: Options): Promise<Check[]> {
  const postgres = wanted === 'server' ? await OwnPostgres.start() : undefined;
  const redis = wanted === 'server' ? await OwnRedis.start() : undefined;
  const stage: Stage = postgres && redis ? 'server' : 'embedded';
  if (stage !== wanted) process.stderr.write('There are no programs of Postgres and Redis here: the embedded database is tried.\n');
  const world = await startWorld({
    stage,
    services: await reachable(),
    processes: PROCESSES,
    env: { SYNC_INCREMENTAL_SECONDS: '10' },
    ...(stage === 'server' && { databaseUrl: postgres?.url, redisUrl: redis?.url }),
  });
  const load = await startLoad(world, { perSecond });
  atEnd(() => load.receiver.stop());
  const startedAt = Date.now();
  const endsAt = startedAt + minutes * 60_000;
  const samples: Sample[] = [];
  const calm = new AbortController();
  const trouble = new Trouble({ world, receiver: load.receiver, ...(stage === 'server' && { postgres, redis }) }, seed);
  const troubled = trouble.goOn(calm.signal);
  const failed = troubled.then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
  );
  for (let told = startedAt; Date.now() < endsAt; await sleep(SAMPLE_MS)) {
    samples.push(await sample(world, startedAt));
    if (Date.now() > endsAt - minutes * 60_000 * CALM) calm.abort();
    if (Date.now() - told > 60_000) {
      told = Date.now();
      process.stderr.write(
        `${seconds(told - startedAt)}: ${load.ledgers.sent.size} events, ${trouble.done.length} faults, ${JSON.stringify(samples.at(-1))}\n`,
      );
    }
  }
  calm.abort();
  const broken = await failed;
  if (broken) throw broken;
  await load.stop();
  const began = Date.now();
  const settled = await until(
    async () => {
      const { waiting, unsent } = await sample(world, startedAt);
      return waiting === 0 && unsent === 0;
    },
    SETTLES_MS,
    500,
  );
  const same = await until(async () => (await compareLedgers(world, load)).every(({ ok }) => ok), SETTLES_MS, 2_000);
  const checks: Check[] = [
    ...(await compareLedgers(world, load)),
    {
      name: 'worked off',
      target: `within ${SETTLES_MS / 1_000} s of the end`,
      seen: `${seconds(settled)}, all ledgers equal after ${same === undefined ? 'never' : seconds(Date.now() - began)}`,
      ok: settled !== undefined,
    },
    ...compareTimes(samples),
  ];
  const faults = trouble.done.map(({ at, name }) => ({ at: (at - startedAt) / 1_000, name }));
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, `soak-${stage}.svg`), plotOf(samples, faults));
  const tables = await world.ask(TABLE_SIZES);
  const answers = Object.fromEntries(load.ledgers.answers);
  writeFileSync(
    join(out, `soak-${stage}.json`),
    JSON.stringify({ minutes, seed, perSecond, stage, checks, faults, answers, tables, samples }, undefined, 1),
  );
  return checks;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void cleanUp().then(() => process.exit(1)));

void main();
